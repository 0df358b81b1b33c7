import { toModelNetError } from '../../../utils/errors.ts'
import { serial } from '../bounds.ts'
import { isUnwanted, partOf } from '../context.ts'
import type { Bound, Path } from '../path.ts'

/**
 * One stage after another. The best so far is kept: a stage that fails is left out when there are answers to go on
 * with, so no later stage can lose a good answer.
 */
export function seqPath(stages: readonly Path[]): Path {
  return {
    kind: 'seq',
    bound(given = {}) {
      const bounds: Bound[] = []
      for (const stage of stages)
        bounds.push(stage.bound({ ...given, answers: bounds.at(-1)?.answers ?? given.answers ?? 0 }))
      return serial(bounds)
    },
    async *run(board, context) {
      let current = board
      for (const [index, stage] of stages.entries()) {
        const part = partOf(context, index, { visible: context.visible && index === stages.length - 1 })
        try {
          current = yield* stage.run(current, part)
        } catch (cause) {
          if (isUnwanted(context) || index === 0 || current.answers.length === 0) throw cause
          const { code, message } = toModelNetError(cause)
          yield {
            type: 'note',
            stage: part.scope,
            message: `stage left out, the answer so far is kept: ${message}`,
            facts: { code },
          }
        }
      }
      return current
    },
  }
}
