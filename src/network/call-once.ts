import { ModelNetError } from '../utils/errors.ts'
import type { CallStartOptions, Channel } from './channel.ts'

/**
 * A call of a method that takes no parts and gives one answer. Rejects with the error the call ended with, or with
 * PROTOCOL_ERROR when there was no answer or a second one.
 */
export async function callOnce(
  channel: Channel,
  method: string,
  body: unknown,
  options: CallStartOptions = {},
): Promise<unknown> {
  const call = channel.call(method, body, options)
  const parts = call.parts[Symbol.asyncIterator]()
  const answer = await parts.next()
  const second = answer.done === true ? answer : await parts.next()
  if (answer.done !== true && second.done === true) return answer.value
  const error = new ModelNetError(
    'PROTOCOL_ERROR',
    `${method} gave ${second.done ? 'no answer' : 'more than one answer'}`,
  )
  call.cancel(error)
  throw error
}
