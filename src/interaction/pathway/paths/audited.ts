import { isModelNetError, toModelNetError } from '../../../utils/errors.ts'
import { keyOf } from '../../answers/key.ts'
import { oneCall, serial } from '../bounds.ts'
import { isUnwanted, partOf } from '../context.ts'
import type { Path } from '../path.ts'
import { runCall } from '../run-call.ts'

/**
 * Asks a share of the questions again at a trusted model and books whether the answers agree as evidence (F1b: audits
 * of live traffic cannot be told from traffic). Answers without a comparable key book nothing.
 */
export function auditedPath(inner: Path, share: number, by = '*'): Path {
  return {
    kind: 'audited',
    bound(given = {}) {
      const bound = inner.bound(given)
      return { ...serial([bound, oneCall(by, given)]), answers: bound.answers }
    },
    async *run(board, context) {
      const result = yield* inner.run(board, context)
      const part = partOf(context, 'audit', { visible: false })
      if (part.random.next() >= share) return result
      try {
        const checked = yield* runCall(
          { reference: by, messages: board.task.messages, why: 'audits the answer' },
          board,
          part,
        )
        const { format, tags } = board.analysis
        const expected = keyOf(checked.text, format)
        const tag = tags[0]?.tag
        for (const answer of result.answers) {
          const key = keyOf(answer.text, format)
          // a model that audits itself proves nothing
          if (expected === undefined || key === undefined || tag === undefined || answer.by === checked.by) continue
          const score = key === expected ? 1 : 0
          context.abilities.observe({ model: answer.by, tag, source: 'audit', score, at: context.clock.now() })
          yield {
            type: 'note',
            stage: part.scope,
            message: `audit of ${answer.by}: ${score === 1 ? 'agrees' : 'differs'}`,
            facts: { score },
          }
        }
      } catch (cause) {
        if (isUnwanted(context)) throw cause
        const { message } = isModelNetError(cause) ? cause : toModelNetError(cause)
        yield { type: 'note', stage: part.scope, message: `no audit: ${message}` }
      }
      return result
    },
  }
}
