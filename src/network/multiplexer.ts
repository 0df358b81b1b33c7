import { type ChannelFrame, MAX_DEADLINE_MS, MAX_OPEN_CALLS, MAX_WAITING_BYTES } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { isErrorCode, ModelNetError, toModelNetError } from '../utils/errors.ts'
import { type Logger, silentLogger } from '../utils/logger.ts'
import type { Call, CallHandlers, CallStartOptions, Channel } from './channel.ts'
import type { ChannelTransport } from './channel-transport.ts'
import { type CallLine, OpenCall } from './open-call.ts'
import { serveCall } from './serve-call.ts'

export interface ChannelOptions {
  /** Methods this side serves; looked up at each call, so the object may change. @default none */
  readonly handlers?: CallHandlers
  /** Node id of the other side; `local` within one process. */
  readonly peer: string
  readonly clock: Clock
  readonly logger?: Logger
  /** Calls open at once in each direction, and handlers running. @default MAX_OPEN_CALLS */
  readonly maxOpenCalls?: number
  /** Bytes that may wait unread, all calls together. @default MAX_WAITING_BYTES */
  readonly maxWaitingBytes?: number
}

/** Many calls over one transport: `docs/protocol.md` section 3. */
export function createChannel(transport: ChannelTransport, options: ChannelOptions): Channel {
  return new Multiplexer(transport, options)
}

class Multiplexer implements Channel, CallLine {
  readonly clock: Clock
  readonly closed: Promise<void>
  readonly #transport: ChannelTransport
  readonly #handlers: CallHandlers
  readonly #peer: string
  readonly #logger: Logger
  readonly #maxOpenCalls: number
  readonly #maxWaitingBytes: number
  /** Calls we started, and calls the other side started, by their number at the side that started them. */
  readonly #ours = new Map<number, OpenCall>()
  readonly #theirs = new Map<number, OpenCall>()
  #lastOurs = 0
  #lastTheirs = 0
  /** Handlers that have not returned: a cancelled one counts until it has stopped. */
  #running = 0
  #waitingBytes = 0
  #lost: ModelNetError | undefined
  #resolveClosed: () => void = () => undefined

  constructor(transport: ChannelTransport, options: ChannelOptions) {
    const { handlers = {}, peer, clock, logger = silentLogger } = options
    const { maxOpenCalls = MAX_OPEN_CALLS, maxWaitingBytes = MAX_WAITING_BYTES } = options
    this.clock = clock
    this.#transport = transport
    this.#handlers = handlers
    this.#peer = peer
    this.#logger = logger
    this.#maxOpenCalls = maxOpenCalls
    this.#maxWaitingBytes = maxWaitingBytes
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
    transport.start({
      frame: (frame, bytes) => this.#receive(frame, bytes),
      end: error => {
        this.#lose(this.#toLoss(error))
        transport.close().catch(() => undefined) // the other side is gone: nothing is left to close
      },
    })
  }

  call(method: string, body: unknown, options: CallStartOptions = {}): Call {
    const { signal } = options
    const deadlineMs = options.deadlineMs === undefined ? undefined : Math.min(options.deadlineMs, MAX_DEADLINE_MS)
    const timer = new AbortController()
    const number = ++this.#lastOurs
    const onAbort = (): void => call.cancel(toModelNetError(signal?.reason, 'CANCELLED'))
    const call: OpenCall = new OpenCall(this, number, 0, () => {
      this.#ours.delete(number)
      signal?.removeEventListener('abort', onAbort)
      timer.abort(OVER)
    })
    const refusal = this.#refusal(signal, deadlineMs)
    if (refusal) {
      call.finish(refusal)
      return call
    }
    try {
      const limit = deadlineMs === undefined ? {} : { deadlineMs: Math.ceil(deadlineMs) }
      this.send({ type: 'call-start', call: number, method, body, ...limit })?.catch(() => undefined) // the loss ends the call
    } catch (error) {
      call.finish(toModelNetError(error))
      return call
    }
    this.#ours.set(number, call)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (deadlineMs !== undefined) this.#endAt(call, deadlineMs, timer.signal)
    return call
  }

  async close(): Promise<void> {
    if (this.#lost === undefined) this.#lose(this.#toLoss(undefined, 'was closed by this node'))
    await this.#transport.close()
  }

  send(frame: ChannelFrame): undefined | Promise<void> {
    if (this.#lost) throw this.#lost
    return this.#transport.send(frame)?.catch(error => {
      const loss = this.#toLoss(error)
      this.#lose(loss)
      throw loss
    })
  }

  post(frame: ChannelFrame): void {
    if (this.#lost) return
    try {
      this.send(frame)?.catch(() => undefined) // the loss ends all calls
    } catch (error) {
      this.#logger.error({ peer: this.#peer, type: frame.type, error }, 'a frame could not be encoded')
      if (frame.type === 'call-error') this.post({ ...frame, details: {} })
    }
  }

  hold(bytes: number): boolean {
    this.#waitingBytes += bytes
    return this.#waitingBytes <= this.#maxWaitingBytes
  }

  /** Why a call cannot start, if so. */
  #refusal(signal: AbortSignal | undefined, deadlineMs: number | undefined): ModelNetError | undefined {
    if (signal?.aborted) return toModelNetError(signal.reason, 'CANCELLED')
    if (this.#lost) return this.#lost
    if (deadlineMs !== undefined && !(deadlineMs > 0)) return lateError(this.#peer, deadlineMs)
    if (this.#ours.size < this.#maxOpenCalls) return undefined
    return new ModelNetError('OVERLOADED', `${this.#maxOpenCalls} calls are open to ${this.#peer}, no more are started`)
  }

  #endAt(call: OpenCall, ms: number, signal: AbortSignal): void {
    this.clock.sleep(ms, signal).then(
      () => call.cancel(lateError(this.#peer, ms)),
      () => undefined, // the call ended in time
    )
  }

  #receive(frame: ChannelFrame, bytes: number): void {
    if (this.#lost) return
    try {
      if (frame.type === 'call-start') this.#start(frame, bytes)
      else this.#dispatch(frame, bytes)
    } catch (error) {
      const violation = toModelNetError(error)
      this.#logger.warn({ peer: this.#peer, code: violation.code, reason: violation.message }, 'channel ended')
      this.#lose(violation)
      this.#transport.close(violation).catch(() => undefined) // it is being ended because it is broken
    }
  }

  #start(frame: ChannelFrame & { type: 'call-start' }, bytes: number): void {
    if (frame.call <= this.#lastTheirs) throw violation(`call ${frame.call} started after call ${this.#lastTheirs}`)
    this.#lastTheirs = frame.call
    const timer = new AbortController()
    const call = new OpenCall(this, -frame.call, bytes, () => {
      this.#theirs.delete(frame.call)
      timer.abort(OVER)
    })
    if (call.isOver) return
    const handler = Object.hasOwn(this.#handlers, frame.method) ? this.#handlers[frame.method] : undefined
    if (!handler || this.#running >= this.#maxOpenCalls) {
      call.cancel(
        handler
          ? new ModelNetError('OVERLOADED', `${this.#maxOpenCalls} calls are open, no more are served`)
          : new ModelNetError('UNSUPPORTED', `no method ${JSON.stringify(frame.method)}`),
      )
      return
    }
    this.#theirs.set(frame.call, call)
    if (frame.deadlineMs !== undefined) this.#endAt(call, frame.deadlineMs, timer.signal)
    this.#running++
    const { body, deadlineMs, method } = frame
    void serveCall(call, handler, { body, method, deadlineMs, peer: this.#peer, logger: this.#logger }).finally(() => {
      this.#running--
    })
  }

  #dispatch(frame: Exclude<ChannelFrame, { type: 'call-start' }>, bytes: number): void {
    const isTheirs = frame.call > 0
    const number = Math.abs(frame.call)
    if (number > (isTheirs ? this.#lastTheirs : this.#lastOurs)) throw violation(`${frame.type} for call ${frame.call}`)
    // Frames of calls that have ended are on their way when a call is cancelled: they mean nothing any more.
    const call = (isTheirs ? this.#theirs : this.#ours).get(number)
    if (!call) return
    switch (frame.type) {
      case 'call-part':
        call.receivePart(frame.part, bytes)
        break
      case 'call-credit':
        call.receiveCredit(frame.credit)
        break
      case 'call-end':
        call.receiveEnd()
        break
      case 'call-cancel':
        call.finish(new ModelNetError('CANCELLED', `${this.#peer} cancelled the call`), true)
        break
      case 'call-error':
        call.finish(fromErrorFrame(frame, this.#peer))
    }
  }

  #lose(error: ModelNetError): void {
    if (this.#lost) return
    this.#lost = error
    for (const call of [...this.#ours.values(), ...this.#theirs.values()]) call.finish(error)
    this.#resolveClosed()
  }

  #toLoss(cause: unknown, how = 'has ended'): ModelNetError {
    if (cause instanceof ModelNetError && cause.code === 'PROTOCOL_ERROR') return cause
    return new ModelNetError('PEER_LOST', `the channel to ${this.#peer} ${how}`, { cause })
  }
}

/** What a peer says went wrong, as ours: `details.peer` tells that it was said by a peer. Codes we do not know are INTERNAL. */
function fromErrorFrame(frame: ChannelFrame & { type: 'call-error' }, peer: string): ModelNetError {
  const { code, message, retryable, details } = frame
  return new ModelNetError(isErrorCode(code) ? code : 'INTERNAL', message, {
    details: { ...details, peer },
    ...(retryable === undefined ? {} : { retryable }),
  })
}

/** Made once: an error made at the end of every call costs more than the rest of ending it. */
const OVER = new ModelNetError('CANCELLED', 'the call is over')

const lateError = (peer: string, ms: number): ModelNetError =>
  new ModelNetError('DEADLINE_EXCEEDED', `the call with ${peer} did not end within ${ms} ms`)
const violation = (what: string): ModelNetError => new ModelNetError('PROTOCOL_ERROR', `the peer sent ${what}`)
