import { nothing } from '../bounds.ts'
import { withAnswers } from '../context.ts'
import type { Path } from '../path.ts'
import type { Arguments } from '../term.ts'
import type { Rule } from '../vocabulary.ts'

/** Reduces the answers on the board to one by a rule. */
export function pickPath(rule: Rule, args: Arguments = {}): Path {
  return {
    kind: 'pick',
    bound: (given = {}) => ({ ...nothing(given), ...rule.bound?.(given, args), answers: 1 }),
    async *run(board, context) {
      return withAnswers(board, [yield* rule.run(board, context, args)])
    },
  }
}
