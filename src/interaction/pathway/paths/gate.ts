import { toModelNetError } from '../../../utils/errors.ts'
import { either, nothing, serial } from '../bounds.ts'
import { isUnwanted, partOf, withAnswers } from '../context.ts'
import type { Board, Path } from '../path.ts'
import type { Arguments } from '../term.ts'
import type { Condition } from '../vocabulary.ts'

/**
 * Runs the first path; when the condition does not accept its answers, the other path answers the question afresh
 * (with `keep=true` it sees the rejected answers). If that fails, the rejected answers are better than none.
 */
export function gatePath(first: Path, other: Path, condition: Condition, args: Arguments = {}): Path {
  const keep = args['keep'] === true
  return {
    kind: 'gate',
    bound(given = {}) {
      const before = first.bound(given)
      const checking = { ...nothing(before), ...condition.bound?.(before, args) }
      const after = other.bound({ ...given, answers: keep ? before.answers : 0 })
      return { ...serial([before, checking, after]), answers: either([before, after]).answers }
    },
    async *run(board, context) {
      let rejected: Board | undefined
      try {
        rejected = yield* first.run(board, partOf(context, 'first', { visible: false }))
        const verdict = yield* condition.check(rejected, partOf(context, 'check', { visible: false }), args)
        const message = `${condition.name}: ${verdict.accepted ? 'accepted' : 'not accepted'}, ${verdict.why}`
        yield { type: 'note', stage: context.scope, message, facts: { accepted: verdict.accepted } }
        if (verdict.accepted) return verdict.answers ? withAnswers(rejected, verdict.answers) : rejected
      } catch (cause) {
        if (isUnwanted(context)) throw cause
        const { message } = toModelNetError(cause)
        yield { type: 'note', stage: context.scope, message: `the first path failed, the other answers: ${message}` }
      }
      try {
        const start = keep && rejected ? rejected : board
        return yield* other.run(start, partOf(context, 'else'))
      } catch (cause) {
        if (isUnwanted(context) || !rejected || rejected.answers.length === 0) throw cause
        const { message } = toModelNetError(cause)
        yield {
          type: 'note',
          stage: context.scope,
          message: `the other path failed, the first answer is kept: ${message}`,
        }
        return rejected
      }
    },
  }
}
