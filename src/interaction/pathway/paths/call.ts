import { askReviewer, isReviewer } from '../../judging/reviewer.ts'
import { roleFor, toMessages } from '../../prompts.ts'
import { oneCall } from '../bounds.ts'
import { withAnswers } from '../context.ts'
import type { Answer, Board, Path, PathwayContext, PathwayEvent } from '../path.ts'
import type { Wanted } from '../resolve.ts'
import { runCall } from '../run-call.ts'
import type { CallTerm } from '../term.ts'

/** Roles that a model trained to review fills by a review: the answer stays, or its correction takes its place. */
const REVIEWING: ReadonlySet<string> = new Set(['revise', 'verify'])

/** One question to one model; what it is asked to do with earlier answers depends on its role. */
export function callPath(term: CallTerm): Path {
  const { call: reference, role = 'auto', rank, ranks, temperature, maxTokens, confidence } = term
  return {
    kind: 'call',
    bound: given => oneCall(reference, { ...given, ...(maxTokens === undefined ? {} : { maxTokens }) }),
    async *run(board, context) {
      const doing = roleFor(role, board.answers.length)
      const wanted = { reference, ...(rank === undefined ? {} : { rank }), ...(ranks === undefined ? {} : { ranks }) }
      const [given] = board.answers
      if (given && REVIEWING.has(doing) && isReviewer(wanted, board, context))
        return withAnswers(board, [yield* reviewed(wanted, given, board, context)])
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
