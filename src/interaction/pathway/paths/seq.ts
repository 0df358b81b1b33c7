import { toModelNetError } from '../../../utils/errors.ts'
import { serial } from '../bounds.ts'
import { isUnwanted, partOf } from '../context.ts'
import type { Bound, Path } from '../path.ts'

/**
 * One stage after another. The best so far is kept: a stage that fails is left out when there are answers to go on
 * with, so no later stage can lose a good answer. Where nobody answered yet, the next stage answers in its place; if
 * none can, the first failure is what is told.
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
      let first: unknown
      for (const [index, stage] of stages.entries()) {
        const part = partOf(context, index, { visible: context.visible && index === stages.length - 1 })
        try {
          current = yield* stage.run(current, part)
        } catch (cause) {
          first ??= cause
          const isLost = current.answers.length === 0 && index === stages.length - 1
          if (isUnwanted(context)) throw cause
          if (isLost || (context.signal.aborted && current.answers.length === 0)) throw first
          const { code, message } = toModelNetError(cause)
          const then = current.answers.length > 0 ? 'the answer so far is kept' : 'the next stage answers'
          yield { type: 'note', stage: part.scope, message: `stage left out, ${then}: ${message}`, facts: { code } }
        }
      }
      return current
    },
  }
}
