import { ModelNetError } from '../../utils/errors.ts'

/** When to come again, as the holders of one request have said it. */
export interface RetryHint {
  /** Remembers what an error says. */
  note(error: ModelNetError): void
  /** The error with the soonest of the times that were said, if it says none itself and trying again can help. */
  onto(error: ModelNetError): ModelNetError
}

/** One holder that is full for a second is worth more to the caller than the last of several that could not be reached. */
export function createRetryHint(): RetryHint {
  let soonestMs = Number.POSITIVE_INFINITY
  return {
    note({ details }) {
      const said = details['retryAfterMs']
      if (typeof said === 'number' && said >= 0) soonestMs = Math.min(soonestMs, said)
    },
    onto(error) {
      if (!Number.isFinite(soonestMs) || !error.retryable || typeof error.details['retryAfterMs'] === 'number')
        return error
      return new ModelNetError(error.code, error.message, {
        cause: error,
        details: { ...error.details, retryAfterMs: soonestMs },
        retryable: true,
      })
    },
  }
}
