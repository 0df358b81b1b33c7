import { isModelNetError, ModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import type { CallContext, CallHandler } from './channel.ts'
import type { OpenCall } from './open-call.ts'

export interface ServeOptions {
  readonly body: unknown
  readonly method: string
  readonly deadlineMs: number | undefined
  readonly peer: string
  readonly logger: Logger
}

/**
 * Runs a handler to its end and sends what it yields. Resolves when the handler has stopped, which may be after the
 * call is over: a handler is asked to stop by its signal and at its next `yield`.
 */
export async function serveCall(call: OpenCall, handler: CallHandler, options: ServeOptions): Promise<void> {
  const { body, method, deadlineMs, peer, logger } = options
  const context: CallContext = {
    peer,
    get signal() {
      return call.signal
    },
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
  try {
    for await (const part of handler(body, { parts: call.parts }, context)) await call.send(part)
    call.end()
    call.finish(undefined)
  } catch (error) {
    if (call.isOver) return // what stopping it threw says nothing new
    if (!isModelNetError(error)) logger.error({ peer, method, error }, 'a call failed')
    call.cancel(isModelNetError(error) ? error : new ModelNetError('INTERNAL', `${method} failed`))
  }
}
