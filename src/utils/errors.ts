/** What an error code means to a caller: the HTTP status it maps to, and whether trying again can help. */
export interface ErrorKind {
  readonly status: number
  readonly retryable: boolean
  readonly meaning: string
}

const kind = (status: number, retryable: boolean, meaning: string): ErrorKind => ({ status, retryable, meaning })

export type ErrorCode =
  | 'INVALID_REQUEST'
  | 'INVALID_CONFIG'
  | 'INVALID_PATHWAY'
  | 'INVALID_MODEL_FILE'
  | 'CONTEXT_OVERFLOW'
  | 'UNSUPPORTED'
  | 'UNAUTHORIZED'
  | 'BUDGET_EXCEEDED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'MODEL_NOT_FOUND'
  | 'PAYLOAD_TOO_LARGE'
  | 'OVERLOADED'
  | 'CANCELLED'
  | 'INTERNAL'
  | 'ENGINE_FAILED'
  | 'PROTOCOL_ERROR'
  | 'INVALID_SIGNATURE'
  | 'PEER_UNREACHABLE'
  | 'PEER_LOST'
  | 'NO_CANDIDATE'
  | 'PORT_IN_USE'
  | 'DEADLINE_EXCEEDED'

/** Every code ModelNet raises. `docs/errors.md` lists the same table, and a test compares the two. */
export const ERROR_KINDS: Readonly<Record<ErrorCode, ErrorKind>> = {
  INVALID_REQUEST: kind(400, false, 'the request does not have the expected form'),
  INVALID_CONFIG: kind(400, false, 'a configuration value is missing or wrong'),
  INVALID_PATHWAY: kind(400, false, 'the pathway term cannot be read, or cannot run with the models there are'),
  INVALID_MODEL_FILE: kind(400, false, 'the file is not a model that an engine can load'),
  CONTEXT_OVERFLOW: kind(400, false, 'the prompt does not fit the context of the model'),
  UNSUPPORTED: kind(400, false, 'the model or engine cannot do what was asked'),
  UNAUTHORIZED: kind(401, false, 'the key is missing or wrong'),
  BUDGET_EXCEEDED: kind(402, false, 'the budget of the request does not allow another call'),
  FORBIDDEN: kind(403, false, 'policy does not allow this caller or this domain'),
  NOT_FOUND: kind(404, false, 'there is nothing at this address'),
  MODEL_NOT_FOUND: kind(404, false, 'no node offers a model of this name'),
  PAYLOAD_TOO_LARGE: kind(413, false, 'the message is larger than the stated limit'),
  OVERLOADED: kind(429, true, 'the queue is full; try again later'),
  CANCELLED: kind(499, false, 'the caller went away'),
  INTERNAL: kind(500, false, 'a defect in ModelNet'),
  ENGINE_FAILED: kind(502, true, 'the engine behind a model failed'),
  PROTOCOL_ERROR: kind(502, true, 'a peer or an endpoint sent something that is not the protocol'),
  INVALID_SIGNATURE: kind(502, false, 'a signed document does not verify'),
  PEER_UNREACHABLE: kind(502, true, 'the peer cannot be reached'),
  PEER_LOST: kind(502, true, 'the connection to the peer ended during the call'),
  NO_CANDIDATE: kind(503, true, 'no live model can serve this task now'),
  PORT_IN_USE: kind(503, false, 'another program listens on this port'),
  DEADLINE_EXCEEDED: kind(504, true, 'the deadline of the request passed'),
}

export interface ModelNetErrorOptions {
  readonly cause?: unknown
  /** Facts that help the caller; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Overrides the table where the thrower knows better. */
  readonly retryable?: boolean
}

/** The one error class. Callers branch on `code`, never on the message. */
export class ModelNetError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ModelNetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ModelNetError'
    this.code = code
    this.status = ERROR_KINDS[code].status
    this.retryable = options.retryable ?? ERROR_KINDS[code].retryable
    this.details = options.details ?? {}
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(ERROR_KINDS, value)

export const isModelNetError = (error: unknown): error is ModelNetError => error instanceof ModelNetError

/** True for the errors an aborted signal makes: these are let through, never retried. */
export const isAbortError = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'AbortError' ||
    error.name === 'TimeoutError' ||
    (isModelNetError(error) && error.code === 'CANCELLED'))

/** Any thrown value as a `ModelNetError`: ours unchanged, an abort as CANCELLED or DEADLINE_EXCEEDED, others as `fallback`. */
export function toModelNetError(error: unknown, fallback: ErrorCode = 'INTERNAL'): ModelNetError {
  if (isModelNetError(error)) return error
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ModelNetError('DEADLINE_EXCEEDED', 'the deadline of the request passed', { cause: error })
  if (error instanceof Error && error.name === 'AbortError')
    return new ModelNetError('CANCELLED', 'the request was cancelled', { cause: error })
  return new ModelNetError(fallback, error instanceof Error ? error.message : String(error), { cause: error })
}
