import { roleFor, toMessages } from '../../prompts.ts'
import { oneCall } from '../bounds.ts'
import { withAnswers } from '../context.ts'
import type { Path } from '../path.ts'
import { runCall } from '../run-call.ts'
import type { CallTerm } from '../term.ts'

/** One question to one model; what it is asked to do with earlier answers depends on its role. */
export function callPath(term: CallTerm): Path {
  const { call: reference, role = 'auto', rank, ranks, temperature, maxTokens, confidence } = term
  return {
    kind: 'call',
    bound: given => oneCall(reference, { ...given, ...(maxTokens === undefined ? {} : { maxTokens }) }),
    async *run(board, context) {
      const doing = roleFor(role, board.answers.length)
      const answer = yield* runCall(
        {
          reference,
          ...(rank === undefined ? {} : { rank }),
          ...(ranks === undefined ? {} : { ranks }),
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
