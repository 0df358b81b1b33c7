import { AsyncQueue } from '../../utils/async-queue.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { childController } from './context.ts'
import type { Board, PathwayEvent } from './path.ts'

/** How one branch ended. */
export type Outcome = { readonly board: Board } | { readonly error: unknown }

type Item = { readonly event: PathwayEvent } | { readonly branch: number; readonly outcome: Outcome }

/**
 * Runs branches at the same time and merges what they tell. Each has an AbortController of its own, chained to the
 * caller's signal; `isEnough` is asked after every end, and stops the rest when it says so. A branch that was stopped
 * has no outcome.
 */
export async function* runBranches(
  branches: readonly ((signal: AbortSignal) => AsyncGenerator<PathwayEvent, Board>)[],
  signal: AbortSignal,
  isEnough: (outcomes: readonly (Outcome | undefined)[]) => boolean,
): AsyncGenerator<PathwayEvent, readonly (Outcome | undefined)[]> {
  const queue = new AsyncQueue<Item>()
  const outcomes: (Outcome | undefined)[] = branches.map(() => undefined)
  const children = branches.map(() => childController(signal))
  const drain = async (branch: number, start: (typeof branches)[number]): Promise<void> => {
    const child = children[branch] as (typeof children)[number] // one for each branch
    let outcome: Outcome
    try {
      const generator = start(child.controller.signal)
      let step = await generator.next()
      for (; !step.done; step = await generator.next()) queue.push({ event: step.value })
      outcome = { board: step.value }
    } catch (error) {
      outcome = { error }
    } finally {
      child.dispose()
    }
    queue.push({ branch, outcome })
  }
  const stop = (): void => {
    const reason = new ModelNetError('CANCELLED', 'enough answers are there')
    for (const { controller } of children) if (!controller.signal.aborted) controller.abort(reason)
  }
  // Those who are stopped have one turn to say what they have; one that does not listen to its signal is left behind.
  const onAbort = (): void => void nextTurn().then(() => queue.end())
  for (const [branch, start] of branches.entries()) void drain(branch, start)
  let ended = 0
  let enough = false
  if (branches.length === 0) return outcomes
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const item of queue) {
      if ('event' in item) {
        yield item.event
        continue
      }
      if (!enough) outcomes[item.branch] = item.outcome
      if (++ended === branches.length) break
      if (enough || !isEnough(outcomes)) continue
      enough = true
      stop()
      onAbort()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (ended < branches.length) stop()
    for (const { dispose } of children) dispose()
  }
  return outcomes
}

/** Lets parts that were just stopped say so. */
const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
