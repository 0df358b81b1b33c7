import type { Clock } from './clock.ts'
import { ModelNetError } from './errors.ts'

/** A signal that ends with the caller's, or with DEADLINE_EXCEEDED after `deadlineMs`. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Milliseconds left; Infinity without a deadline. */
  left(): number
  /** Frees the timer and the listener; to be called when the work is over. */
  dispose(): void
}

/** Seen by nobody. Without one, each abort would make an error with a stack trace, several times a request. */
const DISPOSED = 'disposed'

/** Does something that must be done in time: under a signal that ends with the caller's or after `deadlineMs`. */
export async function withDeadline<T>(
  clock: Clock,
  options: { readonly signal?: AbortSignal | undefined; readonly deadlineMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal: outer, deadlineMs } = options
  const { signal, dispose } = startDeadline(clock, { deadlineMs, ...(outer && { signal: outer }) })
  try {
    return await work(signal)
  } finally {
    dispose()
  }
}

export function startDeadline(
  clock: Clock,
  options: { readonly signal?: AbortSignal; readonly deadlineMs?: number } = {},
): Deadline {
  const { signal, deadlineMs } = options
  const started = clock.monotonic()
  const controller = new AbortController()
  const timer = deadlineMs === undefined ? undefined : new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted) controller.abort(signal.reason)
  else signal?.addEventListener('abort', onAbort, { once: true })
  if (deadlineMs !== undefined && timer && !controller.signal.aborted)
    clock.sleep(Math.max(0, deadlineMs), timer.signal).then(
      () =>
        controller.abort(
          new ModelNetError(
            'DEADLINE_EXCEEDED',
            `no complete answer within the deadline of ${Math.round(deadlineMs)} ms`,
          ),
        ),
      () => undefined, // disposed before the deadline
    )
  return {
    signal: controller.signal,
    left: () => (deadlineMs === undefined ? Number.POSITIVE_INFINITY : deadlineMs - (clock.monotonic() - started)),
    dispose() {
      signal?.removeEventListener('abort', onAbort)
      timer?.abort(DISPOSED)
    },
  }
}
