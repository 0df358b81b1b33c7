import type { Call, Channel } from '../network/index.ts'
import type { DecodeStep, DistributionKind } from '../protocol/index.ts'
import { DistributionKindSchema, decodeDecodeResult, MAX_STEP_BYTES } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError, toModelNetError } from '../utils/errors.ts'
import { createDecodeSession } from './decode-session.ts'
import type { CallOptions, DecodeSession, OpenOptions } from './language-model.ts'

/**
 * A decode session over one call: a step is one message each way. A commit alone is not sent but travels with what is
 * asked next, so committing costs no round trip; its errors then surface there. After an aborted step the session is
 * closed: the other side may or may not have committed.
 */
export async function openRemoteSession(
  channel: Channel,
  clock: Clock,
  body: { readonly model: string; readonly request: unknown },
  options: OpenOptions,
): Promise<DecodeSession> {
  const { distribution } = options
  options.signal?.throwIfAborted()
  // The signal and the deadline are of the opening; the call itself lives as long as the session.
  const openMs = options.deadlineMs === undefined ? {} : { openMs: Math.max(1, Math.ceil(options.deadlineMs)) }
  const call = channel.call('decode', { ...body, ...openMs, ...(distribution ? { distribution } : {}) })
  const answers = call.parts[Symbol.asyncIterator]()
  const kind = await within(call, clock, options, async () => {
    const parsed = DistributionKindSchema.safeParse(await answerOf(answers))
    if (parsed.success && (!distribution || isSame(parsed.data, distribution))) return parsed.data
    throw new ModelNetError('PROTOCOL_ERROR', 'the peer opened a decode session of another kind')
  })

  let uncommitted: Uint8Array = new Uint8Array()
  let closed = false
  const guard = new StepGuard(call, clock)
  const exchange = (step: DecodeStep, stepOptions: CallOptions): ReturnType<DecodeSession['step']> =>
    guard.during(stepOptions, async () => {
      await call.send(step)
      return decodeDecodeResult(await answerOf(answers))
    })

  return createDecodeSession({
    distribution: kind,
    async step(step, stepOptions = {}) {
      stepOptions.signal?.throwIfAborted()
      if (closed) throw new ModelNetError('INVALID_REQUEST', 'the decode session is closed')
      const commit = join(uncommitted, step.commit)
      const asks = step.next || step.peek !== undefined || step.draft !== undefined
      if (!asks && commit.length <= MAX_STEP_BYTES) {
        uncommitted = commit
        return {}
      }
      uncommitted = new Uint8Array()
      const { commit: _, ...asked } = step
      return exchange(commit.length > 0 ? { ...asked, commit } : asked, stepOptions)
    },
    async close() {
      if (closed) return
      closed = true
      guard.close()
      await answers.return?.() // which cancels the call, and so ends the session there
    },
  })
}

/** Guards the exchanges of one session; one signal for all of them, as a fusion has, is listened to once. */
class StepGuard {
  readonly #call: Call
  readonly #clock: Clock
  #signal: AbortSignal | undefined
  #running = 0

  constructor(call: Call, clock: Clock) {
    this.#call = call
    this.#clock = clock
  }

  async during<T>(options: CallOptions, exchange: () => Promise<T>): Promise<T> {
    if (options.deadlineMs !== undefined) return within(this.#call, this.#clock, options, exchange)
    const { signal } = options
    this.#listen(signal)
    this.#running++
    try {
      return await exchange()
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw error
    } finally {
      this.#running--
    }
  }

  close(): void {
    this.#listen(undefined)
  }

  readonly #onAbort = (): void => {
    if (this.#running > 0) this.#call.cancel(toModelNetError(this.#signal?.reason, 'CANCELLED'))
  }

  #listen(signal: AbortSignal | undefined): void {
    if (signal === this.#signal) return
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }
}

/** Runs one exchange; an abort or a deadline ends the whole call, since an answer may still be on its way. */
async function within<T>(call: Call, clock: Clock, options: CallOptions, exchange: () => Promise<T>): Promise<T> {
  const { signal, dispose } = startDeadline(clock, options)
  const onAbort = (): void => call.cancel(toModelNetError(signal.reason, 'CANCELLED'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await exchange()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    dispose()
  }
}

async function answerOf(answers: AsyncIterator<unknown>): Promise<unknown> {
  const answer = await answers.next()
  if (answer.done) throw new ModelNetError('PEER_LOST', 'the peer ended the decode session')
  return answer.value
}

const isSame = (a: DistributionKind, b: DistributionKind): boolean =>
  a.kind === b.kind && (a.kind === 'bytes' || (b.kind === 'tokens' && a.top === b.top))

function join(a: Uint8Array, b: Uint8Array | undefined): Uint8Array {
  if (!b || b.length === 0) return a
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
