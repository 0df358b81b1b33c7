import { CALL_CREDIT, type ChannelFrame, MAX_ERROR_LENGTH, MAX_STALL_MS } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { isModelNetError, ModelNetError } from '../utils/errors.ts'
import type { Call } from './channel.ts'
import { PartReader } from './part-reader.ts'

/** What an open call needs of its channel. */
export interface CallLine {
  readonly clock: Clock
  /** Throws when the frame cannot be carried; rejects with PEER_LOST when the channel is lost. */
  send(frame: ChannelFrame): undefined | Promise<void>
  /** Sends a frame whose delivery nobody waits for. */
  post(frame: ChannelFrame): void
  /** Bytes that wait unread have changed by so many; false when there are more than the channel may hold. */
  hold(bytes: number): boolean
}

interface WaitingPart {
  readonly part: unknown
  resolve(sent: Promise<void>): void
  reject(error: unknown): void
}

/**
 * One side of one call, the same for the side that started it and the side that serves it: credit each way, what
 * arrived and is not read yet, and one end. `onOver` is called once, with the error the call ended with if any.
 */
export class OpenCall implements Call {
  readonly #line: CallLine
  readonly #id: number
  readonly #bytes: number
  readonly #onOver: (error: ModelNetError | undefined) => void
  readonly #reader: PartReader
  readonly #waiting: WaitingPart[] = []
  /** Parts we may send. */
  #credit = CALL_CREDIT
  /** Parts the other side may send. */
  #window = CALL_CREDIT
  #consumed = 0
  #saidEnd = false
  #receivedEnd = false
  #over = false
  #error: ModelNetError | undefined
  #controller: AbortController | undefined
  #stall: AbortController | undefined

  /** `id` is positive when this side started the call. `bytes` is what the body takes while the call is open. */
  constructor(line: CallLine, id: number, bytes: number, onOver: (error: ModelNetError | undefined) => void) {
    this.#line = line
    this.#id = id
    this.#bytes = bytes
    this.#onOver = onOver
    this.#reader = new PartReader({
      taken: () => this.#consume(),
      held: amount => this.#hold(amount),
      // A caller that stops reading gives the call up; a handler that stops reading only wants no more.
      stopped: () => id > 0 && this.cancel(),
    })
    this.#hold(bytes)
  }

  get parts(): AsyncIterable<unknown> {
    return this.#reader
  }

  get isOver(): boolean {
    return this.#over
  }

  /** Aborts when the call ends with an error, so not when it ends well. Made when first asked for. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#error) this.#controller.abort(this.#error)
    return this.#controller.signal
  }

  send(part: unknown): Promise<void> {
    if (this.#over) return Promise.reject(this.#error ?? ended('has ended'))
    if (this.#saidEnd) return Promise.reject(ended('was told that no more parts follow'))
    if (this.#credit > 0 && this.#waiting.length === 0) return this.#sendNow(part)
    this.#watchStall()
    return new Promise((resolve, reject) => this.#waiting.push({ part, resolve, reject }))
  }

  end(): void {
    if (this.#over || this.#saidEnd) return
    this.#saidEnd = true
    if (this.#waiting.length === 0) this.#line.post({ type: 'call-end', call: this.#id })
  }

  cancel(error?: ModelNetError): void {
    if (this.#over) return
    if (this.#id > 0) this.#line.post({ type: 'call-cancel', call: this.#id })
    else this.#line.post(toErrorFrame(this.#id, error ?? ended('was cancelled')))
    this.finish(error ?? ended('was cancelled'), true)
  }

  /** Ends the call here without a word to the other side. `now` drops what arrived and was not read. */
  finish(error: ModelNetError | undefined, now = false): void {
    if (this.#over) return
    this.#over = true
    this.#error = error
    this.#stall?.abort()
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error ?? ended('has ended'))
    this.#reader.end(error, now)
    this.#hold(-this.#bytes)
    if (error) this.#controller?.abort(error)
    this.#onOver(error)
  }

  /** Throws PROTOCOL_ERROR when the other side had no credit or said that it would send no more. */
  receivePart(part: unknown, bytes: number): void {
    if (this.#receivedEnd) throw violation('a part after call-end')
    if (this.#window === 0) throw violation('a part without credit')
    this.#window--
    this.#reader.push(part, bytes)
  }

  /** The other side sends no more. That of the side that serves ends the call. */
  receiveEnd(): void {
    if (this.#receivedEnd) throw violation('call-end twice')
    this.#receivedEnd = true
    if (this.#id > 0) this.finish(undefined)
    else this.#reader.end(undefined, false)
  }

  receiveCredit(credit: number): void {
    this.#credit += credit
    if (this.#credit > CALL_CREDIT) throw violation('more credit than parts were sent')
    const hadWaiting = this.#waiting.length > 0
    this.#stall?.abort()
    this.#stall = undefined
    while (this.#credit > 0) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      next.resolve(this.#sendNow(next.part))
    }
    if (this.#waiting.length > 0) this.#watchStall()
    else if (hadWaiting && this.#saidEnd) this.#line.post({ type: 'call-end', call: this.#id })
  }

  #sendNow(part: unknown): Promise<void> {
    try {
      const sent = this.#line.send({ type: 'call-part', call: this.#id, part })
      this.#credit--
      return sent ?? SENT
    } catch (error) {
      // What a handler yields and cannot be sent is its defect, not the caller's.
      const isDefect = this.#id < 0 && isModelNetError(error) && error.code === 'INVALID_REQUEST'
      return Promise.reject(isDefect ? new ModelNetError('INTERNAL', error.message, { cause: error }) : error)
    }
  }

  #consume(): void {
    this.#consumed++
    if (this.#consumed < CALL_CREDIT / 2 || this.#over || this.#receivedEnd) return
    this.#line.post({ type: 'call-credit', call: this.#id, credit: this.#consumed })
    this.#window += this.#consumed
    this.#consumed = 0
  }

  #hold(bytes: number): void {
    if (bytes === 0 || this.#line.hold(bytes) || bytes < 0) return
    this.cancel(new ModelNetError('OVERLOADED', 'more bytes wait unread on this channel than it may hold'))
  }

  #watchStall(): void {
    if (this.#stall) return
    const stall = new AbortController()
    this.#stall = stall
    this.#line.clock.sleep(MAX_STALL_MS, stall.signal).then(
      () => this.cancel(new ModelNetError('DEADLINE_EXCEEDED', `nothing was read of this call for ${MAX_STALL_MS} ms`)),
      () => undefined, // credit came, or the call ended
    )
  }
}

/** An error as it crosses the wire: code, message, whether to retry, details. Nothing of other errors leaves this node. */
function toErrorFrame(call: number, error: ModelNetError): ChannelFrame & { readonly type: 'call-error' } {
  const { code, message, retryable, details } = error
  const frame = { type: 'call-error', call, code, message: message.slice(0, MAX_ERROR_LENGTH), retryable } as const
  return Object.keys(details).length === 0 ? frame : { ...frame, details }
}

const SENT: Promise<void> = Promise.resolve()

const ended = (how: string): ModelNetError => new ModelNetError('CANCELLED', `the call ${how}`)
const violation = (what: string): ModelNetError => new ModelNetError('PROTOCOL_ERROR', `the peer sent ${what}`)
