import { ModelNetError, toModelNetError } from '../../../utils/errors.ts'
import { either, serial } from '../bounds.ts'
import { isUnwanted, partOf } from '../context.ts'
import type { Path } from '../path.ts'

/** The first path that gives an answer. Only the last streams: an answer is never made of two. */
export function orElsePath(paths: readonly Path[]): Path {
  return {
    kind: 'orElse',
    bound(given) {
      const bounds = paths.map(path => path.bound(given))
      return { ...serial(bounds), answers: either(bounds).answers }
    },
    async *run(board, context) {
      let last: unknown = new ModelNetError('NO_CANDIDATE', 'orElse has no path')
      for (const [index, path] of paths.entries()) {
        const part = partOf(context, index, { visible: context.visible && index === paths.length - 1 })
        try {
          const result = yield* path.run(board, part)
          if (result.answers.length > 0) return result
          last = new ModelNetError('NO_CANDIDATE', 'the path gave no answer')
        } catch (cause) {
          if (isUnwanted(context)) throw cause
          last = cause
        }
        yield {
          type: 'note',
          stage: part.scope,
          message: `failed, the next path answers: ${toModelNetError(last).message}`,
        }
      }
      throw last
    },
  }
}
