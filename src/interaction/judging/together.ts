import { partOf } from '../pathway/context.ts'
import type { Outcome } from '../pathway/merge.ts'
import { runBranches } from '../pathway/merge.ts'
import type { Board, PathwayContext, PathwayEvent } from '../pathway/path.ts'

/**
 * Runs judgements at the same time, each in a scope and with an AbortController of its own. One that fails is an
 * abstention (undefined); `isEnough` may stop the rest early.
 */
export async function* together<T>(
  judgements: readonly ((context: PathwayContext) => AsyncGenerator<PathwayEvent, T>)[],
  board: Board,
  context: PathwayContext,
  isEnough: (done: readonly (T | undefined)[]) => boolean = () => false,
): AsyncGenerator<PathwayEvent, readonly (T | undefined)[]> {
  const results: (T | undefined)[] = judgements.map(() => undefined)
  const ledgers = context.ledger.split(Math.max(1, judgements.length))
  const branches = judgements.map(
    (judge, index) =>
      async function* (signal: AbortSignal): AsyncGenerator<PathwayEvent, Board> {
        const ledger = ledgers[index]
        const part = partOf(context, `j${index}`, { signal, visible: false, ...(ledger ? { ledger } : {}) })
        results[index] = yield* judge(part)
        return board
      },
  )
  const outcomes: readonly (Outcome | undefined)[] = yield* runBranches(branches, context.signal, () =>
    isEnough(results),
  )
  const unwanted = context.signal.aborted
  if (unwanted) throw context.signal.reason
  for (const [index, outcome] of outcomes.entries())
    if (outcome && 'error' in outcome)
      yield { type: 'note', stage: `${context.scope}.j${index}`, message: `no judgement: ${String(outcome.error)}` }
  return results
}
