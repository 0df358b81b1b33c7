import { type ModelNetError, toModelNetError } from '../../utils/errors.ts'

/** An error in the shape that OpenAI's clients read. */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    /** `model_not_found`: our code in lower case, as OpenAI writes its own. */
    readonly code: string
  }
}

const TYPES: readonly (readonly [number, string])[] = [
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
]

/** The body for an error, and the HTTP status and headers to send it with. */
export function toOpenAiError(thrown: unknown): {
  readonly error: ModelNetError
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: OpenAiErrorBody
} {
  const error = toModelNetError(thrown)
  const param = error.details['param']
  const retryAfterMs = error.details['retryAfterMs']
  const type = TYPES.find(([status]) => status === error.status)?.[1]
  return {
    error,
    status: error.status,
    headers: typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {},
    body: {
      error: {
        // A defect of ours is logged where it happens; its text may hold anything, so it stays here.
        message: error.code === 'INTERNAL' ? 'internal error; the log of the node tells more' : error.message,
        type: type ?? (error.status < 500 ? 'invalid_request_error' : 'api_error'),
        param: typeof param === 'string' && param !== '' ? param : null,
        code: error.code.toLowerCase(),
      },
    },
  }
}
