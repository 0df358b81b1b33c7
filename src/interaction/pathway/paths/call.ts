import { canReview, isBare, isTrainedReviewer } from '../../judging/abilities.ts'
import { askReviewer, isReviewer } from '../../judging/reviewer.ts'
import { roleFor, toMessages } from '../../prompts.ts'
import { oneCall } from '../bounds.ts'
import { withAnswers } from '../context.ts'
import type { Answer, Board, Path, PathwayContext, PathwayEvent } from '../path.ts'
import { REMEMBERED } from '../replay-call.ts'
import { resolve, type Wanted } from '../resolve.ts'
import { runCall } from '../run-call.ts'
import type { CallTerm } from '../term.ts'

/** Roles that a model trained to review fills by a review: the answer stays, or its correction takes its place. */
const REVIEWING: ReadonlySet<string> = new Set(['revise', 'verify', 'synthesize'])

/** One question to one model; what it is asked to do with earlier answers depends on its role. */
export function callPath(term: CallTerm): Path {
  const { call: reference, role = 'auto', rank, ranks, temperature, maxTokens, confidence } = term
  return {
    kind: 'call',
    bound: given => oneCall(reference, { ...given, ...(maxTokens === undefined ? {} : { maxTokens }) }),
    async *run(board, context) {
      const asked = roleFor(role, board.answers.length)
      const wanted = { reference, ...(rank === undefined ? {} : { rank }), ...(ranks === undefined ? {} : { ranks }) }
      const [given] = board.answers
      if (given && REVIEWING.has(asked) && keepsAnswer(wanted, board, context)) {
        yield {
          type: 'note',
          stage: context.scope,
          message: `${reference} was not trained to review this field, the answer is kept`,
          facts: { [REMEMBERED]: given },
        }
        return withAnswers(board, [given])
      }
      if (given && REVIEWING.has(asked) && isReviewer(wanted, board, context))
        return withAnswers(board, [yield* reviewed(wanted, given, board, context)])
      const doing = asked !== 'answer' && knowsQuestionsOnly(wanted, board, context) ? 'answer' : asked
      if (doing !== asked)
        yield {
          type: 'note',
          stage: context.scope,
          message: `${reference} knows bare questions only: no ${asked}, it answers`,
        }
      const answer = yield* runCall(
        {
          ...wanted,
          messages: toMessages(board, doing, context.random),
          options: {
            ...board.task.options,
            ...(temperature === undefined ? {} : { temperature }),
            ...(confidence ? { topLogprobs: 1 } : {}),
            ...(maxTokens === undefined
              ? {}
              : { maxTokens: Math.min(maxTokens, board.task.options.maxTokens ?? maxTokens) }),
          },
          why: doing === 'answer' ? `best for ${reference} now` : `${doing} as ${reference}`,
          tainted: doing !== 'answer',
        },
        board,
        context,
      )
      return withAnswers(board, [answer])
    },
  }
}

/** A replay asks nobody: it does not matter what would be asked. */
const knowsQuestionsOnly = (wanted: Wanted, board: Board, context: PathwayContext): boolean => {
  const lead = context.recorded ? undefined : resolve(wanted, board, context.matcher)[0]
  return lead !== undefined && isBare(lead)
}

/** A reviewer of other fields has nothing to say; a replay knows by the note of it, since a call may also have been refused. */
function keepsAnswer(wanted: Wanted, board: Board, context: PathwayContext): boolean {
  const { recorded, scope } = context
  if (recorded) return recorded.has(`${scope} ${REMEMBERED}`)
  const [lead] = resolve(wanted, board, context.matcher)
  return lead !== undefined && isTrainedReviewer(lead) && !canReview(board.analysis)(lead)
}

async function* reviewed(
  wanted: Wanted,
  given: Answer,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Answer> {
  const { verdict, correction, by, usage } = yield* askReviewer(wanted, given, board, context)
  const said =
    verdict === undefined ? 'says nothing clear, the answer is kept' : verdict === 'yes' ? 'approves' : 'corrects'
  yield { type: 'note', stage: context.scope, message: `${by} ${said}` }
  return correction === undefined ? given : { text: correction, by, usage, finish: 'stop', tainted: true }
}
