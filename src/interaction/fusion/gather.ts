import type { DecodeResult } from '../../resource/index.ts'
import type { Alarm } from '../../utils/alarm.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Seat } from './seat.ts'

export interface Reply {
  readonly seat: Seat
  readonly result: DecodeResult
}

export interface GatherOptions {
  readonly alarm: Alarm
  /** Answers that make a step. */
  readonly quorum: number
  /** How long to wait for the others once there is a quorum, for each of them. */
  patienceMs(seat: Seat): number
  /** A step is nothing without the answer of this one. */
  isNeeded(seat: Seat): boolean
  /** How long to wait for a quorum. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** A member failed; what it was asked is lost with it. */
  onFailure(seat: Seat, error: unknown): void
}

/**
 * Waits for members asked at the same time: for all of them, or for a quorum and a little longer, or until the
 * deadline. Who is late is not waited for: its answer, when it comes, is nobody's. Replies are in the order of `asked`.
 */
export function gather(
  asked: readonly { readonly seat: Seat; readonly answer: Promise<DecodeResult> }[],
  options: GatherOptions,
): Promise<readonly Reply[]> {
  const { alarm, quorum, deadlineMs, signal, onFailure } = options
  return new Promise((resolve, reject) => {
    const results = new Map<Seat, DecodeResult>()
    const waiting = new Set(asked.map(({ seat }) => seat))
    const timers: (() => void)[] = []
    let settled = false
    /** There is a quorum, and the others are waited for a little longer. */
    let patient = false

    const finish = (): void => {
      if (settled) return
      settled = true
      for (const unset of timers) unset()
      signal?.removeEventListener('abort', onAbort)
      for (const seat of waiting) {
        seat.late++
        seat.misses++
      }
      resolve(
        asked.flatMap(({ seat }) => {
          const result = results.get(seat)
          return result ? [{ seat, result }] : []
        }),
      )
    }
    const onAbort = (): void => {
      settled = true
      for (const unset of timers) unset()
      reject(signal?.reason)
    }
    const after = (ms: number, action: () => void): void => {
      timers.push(alarm.after(ms, action))
    }
    const enough = (): void => {
      if (waiting.size === 0) {
        finish()
        return
      }
      if (patient || results.size < quorum || [...waiting].some(options.isNeeded)) return
      patient = true
      after(Math.max(...[...waiting].map(options.patienceMs)), finish)
    }

    for (const { seat, answer } of asked)
      answer.then(
        result => {
          if (settled) return
          waiting.delete(seat)
          results.set(seat, result)
          seat.misses = 0
          enough()
        },
        error => {
          waiting.delete(seat)
          onFailure(seat, error)
          if (!settled) enough()
        },
      )
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    if (waiting.size === 0) return finish()
    after(deadlineMs, () => {
      for (const seat of waiting)
        onFailure(seat, new ModelNetError('DEADLINE_EXCEEDED', `no answer from ${seat.name} within ${deadlineMs} ms`))
      finish()
    })
  })
}
