import { createHash } from 'node:crypto'
import { withAnswers } from '../context.ts'
import type { Board, Path } from '../path.ts'

/** Remembers the answer of a path to the same question, in this node's memory, for so many seconds. */
export function cachedPath(inner: Path, seconds: number, name: string): Path {
  return {
    kind: 'cached',
    bound: given => inner.bound(given),
    async *run(board, context) {
      const key = keyFor(board, name)
      const known = context.cache.get(key)
      if (known) {
        yield { type: 'note', stage: context.scope, message: `answered from memory, first by ${known.by}` }
        if (context.visible) yield { type: 'text-delta', text: known.text }
        return withAnswers(board, [{ ...known, usage: { promptTokens: 0, completionTokens: 0 } }])
      }
      const result = yield* inner.run(board, context)
      const [answer] = result.answers
      // an answer that was cut off, or that other models' text could have steered, is not kept for others
      if (answer && result.answers.length === 1 && answer.finish !== 'length' && !answer.tainted)
        context.cache.set(key, answer, seconds * 1000)
      return result
    },
  }
}

const keyFor = (board: Board, name: string): string =>
  createHash('sha256')
    .update(JSON.stringify([name, board.task.messages, board.task.options, board.answers.map(({ text }) => text)]))
    .digest('hex')
