import type { ErrorCode, ModelNetError } from '../../utils/errors.ts'

/** Not retryable for the caller, yet another candidate can help: a defect of one peer, a model it has just unloaded. */
const OTHERS_MAY_HELP: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'MODEL_NOT_FOUND', 'INVALID_SIGNATURE'])

/** Says nothing about the health of the server: it is busy, has no such model, or the caller's time was too short. */
const NO_FAULT: ReadonlySet<ErrorCode> = new Set(['OVERLOADED', 'MODEL_NOT_FOUND', 'NO_CANDIDATE', 'DEADLINE_EXCEEDED'])

/** True where the next candidate may do better; false for the caller's own faults (400, 401, 403, 413, cancelled). */
export const canMoveOn = (error: ModelNetError): boolean => error.retryable || OTHERS_MAY_HELP.has(error.code)

/** True for what counts against the node that was asked. */
export const isServerFault = (error: ModelNetError): boolean => canMoveOn(error) && !NO_FAULT.has(error.code)
