import { nothing } from '../bounds.ts'
import { withAnswers } from '../context.ts'
import type { Path } from '../path.ts'
import type { Arguments } from '../term.ts'
import type { Rule } from '../vocabulary.ts'

/** Reduces the answers on the board by a rule. */
export function pickPath(rule: Rule, args: Arguments = {}): Path {
  return {
    kind: 'pick',
    bound: (given = {}) => ({ ...nothing(given), answers: 1, ...rule.bound?.(given, args) }),
    async *run(board, context) {
      const picked = yield* rule.run(board, context, args)
      return withAnswers(board, 'by' in picked ? [picked] : picked)
    },
  }
}
