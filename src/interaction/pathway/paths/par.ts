import { isModelNetError, ModelNetError, toModelNetError } from '../../../utils/errors.ts'
import { parallel } from '../bounds.ts'
import { isUnwanted, partOf, withAnswers } from '../context.ts'
import type { Outcome } from '../merge.ts'
import { runBranches } from '../merge.ts'
import type { Board, Path } from '../path.ts'
import type { Rule } from '../vocabulary.ts'

export interface ParOptions {
  /** Answers that are enough. @default all */
  readonly quorum?: number
  /** Failures that are forgiven. @default all but one branch */
  readonly tolerate?: number
  /** May declare the outcome settled before all ended. */
  readonly decide?: Rule
}

/** Branches that hand on all answers multiply them; more than the strongest strategy makes (16 of 16) are no question. */
const MAX_ANSWERS = 1024

/**
 * All branches at once, each on the board that came in; their answers stand in branch order. Takes as long as its
 * slowest needed branch: at a quorum, or when the deciding rule cannot change its mind, the rest is stopped.
 */
export function parPath(branches: readonly Path[], options: ParOptions = {}): Path {
  const { quorum = branches.length, tolerate = branches.length - 1, decide } = options
  return {
    kind: 'par',
    bound(given) {
      const bound = parallel(branches.map(branch => branch.bound(given)))
      if (bound.answers <= MAX_ANSWERS) return bound
      throw new ModelNetError('INVALID_PATHWAY', `branches give at most ${MAX_ANSWERS} answers together`)
    },
    async *run(board, context) {
      const ledgers = context.ledger.split(branches.length)
      const isEnough = (outcomes: readonly (Outcome | undefined)[]): boolean => {
        const done = outcomes.filter(outcome => outcome && 'board' in outcome).length
        const failed = outcomes.filter(outcome => outcome && 'error' in outcome).length
        if (done >= quorum || failed > tolerate) return true
        const pending = branches.length - done - failed
        return decide?.decided?.(gathered(board, outcomes), pending, context) ?? false
      }
      const starts = branches.map(
        (branch, index) => (signal: AbortSignal) =>
          branch.run(board, partOf(context, index, { signal, visible: false, ...ledgerOf(ledgers[index]) })),
      )
      const outcomes = yield* runBranches(starts, context.signal, isEnough)
      if (isUnwanted(context)) throw context.signal.reason
      const failures = outcomes.flatMap((outcome, index) =>
        outcome && 'error' in outcome ? [{ index, error: toModelNetError(outcome.error) }] : [],
      )
      for (const { index, error } of failures)
        yield {
          type: 'note',
          stage: `${context.scope}.${index}`,
          message: `member left out, its weight goes to the others: ${error.message}`,
          facts: { code: error.code },
        }
      const result = gathered(board, outcomes)
      const stopped = outcomes.filter(outcome => outcome === undefined).length
      if (result.answers.length === 0 || failures.length > tolerate) throw failure(failures, context.signal)
      if (stopped > 0)
        yield {
          type: 'note',
          stage: context.scope,
          message: `${stopped} members stopped: enough answers are there`,
          facts: { stopped },
        }
      return result
    },
  }
}

const ledgerOf = <T>(ledger: T | undefined): { ledger?: T } => (ledger === undefined ? {} : { ledger })

/** Answers and notes of the branches that succeeded, in branch order. */
function gathered(board: Board, outcomes: readonly (Outcome | undefined)[]): Board {
  const boards = outcomes.flatMap(outcome => (outcome && 'board' in outcome ? [outcome.board] : []))
  const notes = Object.assign({}, board.notes, ...boards.map(each => each.notes)) as Board['notes']
  return {
    ...withAnswers(
      board,
      boards.flatMap(each => each.answers),
    ),
    notes,
  }
}

function failure(failures: readonly { readonly error: ModelNetError }[], signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  const [first] = failures
  if (!first) return new ModelNetError('NO_CANDIDATE', 'no branch gave an answer')
  const codes = new Set(failures.map(({ error }) => error.code))
  if (codes.size === 1 || !isModelNetError(first.error)) return first.error
  const messages = failures.map(({ error }) => error.message).join('; ')
  return new ModelNetError(first.error.code, `no member answered: ${messages}`, { cause: first.error })
}
