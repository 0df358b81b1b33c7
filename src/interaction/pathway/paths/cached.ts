import { createHash } from 'node:crypto'
import { withAnswers } from '../context.ts'
import type { Answer, Board, Path } from '../path.ts'
import { REMEMBERED } from '../replay-call.ts'

/** Remembers the answer of a path to the same question, in this node's memory, for so many seconds. */
export function cachedPath(inner: Path, seconds: number, name: string): Path {
  return {
    kind: 'cached',
    bound: given => inner.bound(given),
    async *run(board, context) {
      const key = keyFor(board, name)
      const replayed = context.recorded?.get(`${context.scope} ${REMEMBERED}`)
      const known = replayed && 'answer' in replayed ? replayed.answer : context.cache.get(key)
      if (known) {
        const message = `answered from memory, first by ${known.by}`
        yield { type: 'note', stage: context.scope, message, facts: { [REMEMBERED]: known } }
        if (context.visible) yield { type: 'text-delta', text: known.text }
        return withAnswers(board, [{ ...known, usage: { promptTokens: 0, completionTokens: 0 } }])
      }
      const result = yield* inner.run(board, context)
      const [answer] = result.answers
      if (answer && result.answers.length === 1 && isWorthKeeping(answer))
        context.cache.set(key, answer, seconds * 1000)
      return result
    },
  }
}

/** Not what was cut off, what other models' text could have steered, nor that nothing is known: that may pass. */
const isWorthKeeping = ({ finish, tainted, abstained }: Answer): boolean =>
  finish !== 'length' && tainted !== true && abstained !== true

const keyFor = (board: Board, name: string): string =>
  createHash('sha256')
    .update(JSON.stringify([name, board.task.messages, board.task.options, board.answers.map(({ text }) => text)]))
    .digest('hex')
