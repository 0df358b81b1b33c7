import { ModelNetError } from '../utils/errors.ts'
import { CALL_CREDIT, MAX_DEADLINE_MS, MAX_ERROR_LENGTH, MAX_METHOD_LENGTH } from './limits.ts'

/**
 * What travels on a channel (`/modelnet/channel/1`). Each side numbers the calls it starts 1, 2, 3, …; in every frame
 * `call` is positive for a call that the sender of the frame started and negative for one that its receiver started,
 * so both may start calls at once. A reader keeps fields it does not know and refuses types it does not know.
 */
export type ChannelFrame =
  /** Starts a call. `deadlineMs` is what is left of the caller's time, 1 to `MAX_DEADLINE_MS`. */
  | {
      readonly type: 'call-start'
      readonly call: number
      readonly method: string
      readonly body: unknown
      readonly deadlineMs?: number
    }
  /** One part; takes one credit. */
  | { readonly type: 'call-part'; readonly call: number; readonly part: unknown }
  /** The sender has no more parts. From the side that serves it ends the call. */
  | { readonly type: 'call-end'; readonly call: number }
  /** The side that serves failed; the call is over. */
  | {
      readonly type: 'call-error'
      readonly call: number
      readonly code: string
      readonly message: string
      readonly retryable?: boolean
      readonly details?: Readonly<Record<string, unknown>>
    }
  /** The caller no longer wants the answer; the call is over. */
  | { readonly type: 'call-cancel'; readonly call: number }
  /** The sender has consumed parts: so many more may be sent to it. Each side begins with `CALL_CREDIT`. */
  | { readonly type: 'call-credit'; readonly call: number; readonly credit: number }

export type ChannelFrameType = ChannelFrame['type']

/** Checks a decoded value by hand, since it runs for every token. Throws PROTOCOL_ERROR. Bodies and parts are not checked here. */
export function readChannelFrame(value: unknown): ChannelFrame {
  if (typeof value !== 'object' || value === null) throw refuse('a frame is a map')
  // A checked view of what came: every field is tested below before the frame is returned.
  const frame = value as Readonly<Record<string, unknown>>
  const call = frame['call']
  if (!Number.isSafeInteger(call) || call === 0) throw refuse('call is an integer other than 0')
  const isValid = Object.hasOwn(CHECKS, frame['type'] as string) && CHECKS[frame['type'] as ChannelFrameType](frame)
  if (!isValid) throw refuse(describe(frame['type']))
  return value as ChannelFrame
}

type Fields = Readonly<Record<string, unknown>>

const isAbsent = (value: unknown): boolean => value === undefined
const isBetween = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

/** One check per type; `call` has been checked. */
const CHECKS: Readonly<Record<ChannelFrameType, (frame: Fields) => boolean>> = {
  'call-part': frame => Object.hasOwn(frame, 'part'),
  'call-credit': frame => isBetween(frame['credit'], 1, CALL_CREDIT),
  'call-start': frame =>
    (frame['call'] as number) > 0 &&
    Object.hasOwn(frame, 'body') &&
    typeof frame['method'] === 'string' &&
    frame['method'].length > 0 &&
    frame['method'].length <= MAX_METHOD_LENGTH &&
    (isAbsent(frame['deadlineMs']) || isBetween(frame['deadlineMs'], 1, MAX_DEADLINE_MS)),
  'call-end': () => true,
  'call-error': frame =>
    (frame['call'] as number) < 0 &&
    typeof frame['code'] === 'string' &&
    frame['code'].length <= MAX_METHOD_LENGTH &&
    typeof frame['message'] === 'string' &&
    frame['message'].length <= MAX_ERROR_LENGTH &&
    (isAbsent(frame['retryable']) || typeof frame['retryable'] === 'boolean') &&
    (isAbsent(frame['details']) || isMap(frame['details'])),
  'call-cancel': frame => (frame['call'] as number) > 0,
}

const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

const describe = (type: unknown): string =>
  typeof type === 'string' && Object.hasOwn(CHECKS, type)
    ? `the fields of ${type} are not as specified`
    : 'the type is not one of this version'

const refuse = (what: string): ModelNetError => new ModelNetError('PROTOCOL_ERROR', `not a channel frame: ${what}`)
