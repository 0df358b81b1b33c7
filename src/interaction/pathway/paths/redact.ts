import { redact, restore } from '../../redaction.ts'
import { partOf } from '../context.ts'
import type { Board, Path } from '../path.ts'

/**
 * Takes secrets out of everything the inner path may send away, and puts them back into its answers. The text streams
 * only when it is whole: half a placeholder cannot be restored.
 */
export function redactPath(inner: Path, policy: string): Path {
  return {
    kind: 'redact',
    bound: given => inner.bound(given),
    async *run(board, context) {
      const secrets = new Map<string, string>()
      const clean = (text: string): string => redact(text, policy, secrets).text
      const messages = board.task.messages.map(message => ({ ...message, content: clean(message.content) }))
      const hidden: Board = {
        ...board,
        task: { ...board.task, messages },
        answers: board.answers.map(answer => ({ ...answer, text: clean(answer.text) })),
        notes: Object.fromEntries(Object.entries(board.notes).map(([key, note]) => [key, clean(note)])),
      }
      if (secrets.size > 0)
        yield {
          type: 'note',
          stage: context.scope,
          message: `${secrets.size} secrets stay here`,
          facts: { policy, secrets: secrets.size },
        }
      const result = yield* inner.run(
        hidden,
        partOf(context, 'redacted', { visible: context.visible && secrets.size === 0 }),
      )
      return {
        task: board.task,
        analysis: board.analysis,
        answers: result.answers.map(answer => ({ ...answer, text: restore(answer.text, secrets) })),
        notes: Object.fromEntries(Object.entries(result.notes).map(([key, note]) => [key, restore(note, secrets)])),
      }
    },
  }
}
