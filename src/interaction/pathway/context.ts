import { setMaxListeners } from 'node:events'
import { ModelNetError } from '../../utils/errors.ts'
import type { Answer, Board, PathwayContext } from './path.ts'

/** The context of a part: its own scope and randomness, and what else is narrowed for it. */
export const partOf = (
  context: PathwayContext,
  part: string | number,
  narrowed: Partial<Pick<PathwayContext, 'signal' | 'ledger' | 'visible'>> = {},
): PathwayContext => ({
  ...context,
  ...narrowed,
  scope: `${context.scope}.${part}`,
  random: context.random.fork(String(part)),
})

/** A controller that also ends with the parent's signal. `dispose` frees the listener. */
export function childController(parent: AbortSignal): { controller: AbortController; dispose: () => void } {
  const controller = new AbortController()
  // as many listeners as a pathway has branches: no leak, they go with their branch
  setMaxListeners(0, controller.signal)
  const onAbort = (): void => controller.abort(parent.reason)
  if (parent.aborted) onAbort()
  else parent.addEventListener('abort', onAbort, { once: true })
  return { controller, dispose: () => parent.removeEventListener('abort', onAbort) }
}

/**
 * True when nobody wants the result any more: the caller went away, or an enclosing part has enough. A deadline is not
 * that: what was found until then is still wanted.
 */
export const isUnwanted = (context: PathwayContext): boolean =>
  context.signal.aborted && !isDeadline(context.signal.reason)

export const isDeadline = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'TimeoutError' || (error instanceof ModelNetError && error.code === 'DEADLINE_EXCEEDED'))

/** The board with other answers. */
export const withAnswers = (board: Board, answers: readonly Answer[]): Board => ({ ...board, answers })
