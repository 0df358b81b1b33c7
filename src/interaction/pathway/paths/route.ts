import { ModelNetError } from '../../../utils/errors.ts'
import { either } from '../bounds.ts'
import { partOf } from '../context.ts'
import type { Path } from '../path.ts'

/**
 * Runs the arm of the task's most probable tag that has one, else that of its form (`format:code`) or language
 * (`lang:zh`), else the other path.
 */
export function routePath(arms: Readonly<Record<string, Path>>, otherwise?: Path): Path {
  const byTag = new Map(Object.entries(arms).map(([tag, path]) => [plain(tag), path]))
  return {
    kind: 'route',
    bound: given => either([...byTag.values(), ...(otherwise ? [otherwise] : [])].map(path => path.bound(given))),
    async *run(board, context) {
      const { tags, format, language } = board.analysis
      const known = [...tags, { tag: `format:${format}`, probability: 1 }, { tag: `lang:${language}`, probability: 1 }]
      const hit = known.find(({ tag }) => byTag.has(plain(tag)))
      const arm = (hit && byTag.get(plain(hit.tag))) ?? otherwise
      if (!arm)
        throw new ModelNetError(
          'NO_CANDIDATE',
          `no arm of the route serves this task; it has ${[...byTag.keys()].join(', ')}`,
        )
      const taken = hit ? plain(hit.tag) : 'else'
      const message = hit ? `the task is ${taken} (${hit.probability.toFixed(2)})` : 'no arm for the tags of the task'
      yield { type: 'note', stage: context.scope, message, facts: { arm: taken } }
      return yield* arm.run(board, partOf(context, taken))
    },
  }
}

/** `@arithmetic`, `arithmetic` and `skill:arithmetic` are one tag. */
const plain = (tag: string): string => tag.replace(/^@/u, '').replace(/^skill:/u, '')
