import type { GenerateRequest } from '../../protocol/index.ts'
import type { DecodeSession, OpenOptions } from '../../resource/index.ts'
import { concatBytes, createDecodeSession } from '../../resource/index.ts'
import { ModelNetError, toModelNetError } from '../../utils/errors.ts'
import type { FailoverComponents } from '../failover-model.ts'
import type { Candidate } from '../matching.ts'
import { canMoveOn, isServerFault } from './faults.ts'
import { createRetryHint } from './retry-hint.ts'

/** Commits are joined once there are so many: a call takes a bounded number of arguments. */
const MAX_PIECES = 1024

/**
 * A decode session that survives its holder: what was committed is committed anew at the next copy of the same model,
 * and the step is taken again. Another model never takes over, since its distributions would be other ones.
 */
export async function openWithFailover(
  candidates: readonly Candidate[],
  request: GenerateRequest,
  options: OpenOptions,
  { clock, breakers, calls, onSwitch }: FailoverComponents,
): Promise<DecodeSession> {
  const { signal, deadlineMs } = options
  const startedAt = clock.monotonic()
  /** What is left of the caller's time, also for a holder that takes over later. */
  const opening = (): OpenOptions =>
    deadlineMs === undefined
      ? options
      : { ...options, deadlineMs: Math.max(1, deadlineMs - (clock.monotonic() - startedAt)) }
  let left = [...candidates]
  const committed: Uint8Array[] = []
  let holder: { readonly candidate: Candidate; readonly session: DecodeSession; readonly end: () => void } | undefined
  let closed = false

  function fail(candidate: Candidate, cause: unknown): ModelNetError {
    const error = toModelNetError(cause, 'ENGINE_FAILED')
    if (!signal?.aborted && isServerFault(error)) breakers?.fail(candidate.name)
    else breakers?.leave(candidate.name)
    left = left.filter(other => other !== candidate)
    return error
  }

  async function next(cause?: ModelNetError): Promise<NonNullable<typeof holder>> {
    const hint = createRetryHint()
    let lastError = cause ?? new ModelNetError('NO_CANDIDATE', 'every candidate has an open circuit')
    hint.note(lastError)
    for (const candidate of left) {
      if (breakers?.enter(candidate.name) === false) continue
      const end = calls?.begin(candidate.name) ?? (() => undefined)
      try {
        if (!candidate.model.open) throw new ModelNetError('UNSUPPORTED', 'the model has no open')
        const session = await candidate.model.open(request, opening())
        const text = concatBytes(...committed)
        try {
          if (text.length > 0) await session.step({ commit: text }, opening())
        } catch (error) {
          await session.close().catch(() => undefined)
          throw error
        }
        return { candidate, session, end }
      } catch (error) {
        end()
        lastError = fail(candidate, error)
        signal?.throwIfAborted()
        if (!canMoveOn(lastError)) throw lastError
        hint.note(lastError)
      }
    }
    throw hint.onto(lastError)
  }

  async function end(): Promise<void> {
    if (!holder) return
    holder.end()
    breakers?.succeed(holder.candidate.name)
    await holder.session.close()
  }

  holder = await next()
  left = left.filter(({ model }) => model.card.id === holder?.candidate.model.card.id)
  const { distribution } = holder.session

  return createDecodeSession({
    distribution,
    async step(step, call) {
      while (true) {
        if (closed || !holder) throw new ModelNetError('INVALID_REQUEST', 'the session is closed')
        try {
          const result = await holder.session.step(step, call)
          if (step.commit && step.commit.length > 0) committed.push(step.commit.slice())
          if (committed.length > MAX_PIECES) committed.splice(0, committed.length, concatBytes(...committed))
          return result
        } catch (cause) {
          const { candidate, session, end: endCall } = holder
          const error = fail(candidate, cause)
          if (!canMoveOn(error) || call?.signal?.aborted || signal?.aborted) throw error
          endCall()
          session.close().catch(() => undefined)
          onSwitch?.({
            from: candidate.name,
            to: left[0]?.name,
            code: error.code,
            at: concatBytes(...committed).length,
          })
          holder = await next(error)
          // closed while the next holder was opened: nobody else would close it
          if (closed) await end()
        }
      }
    },
    async close() {
      if (closed) return
      closed = true
      await end()
    },
  })
}
