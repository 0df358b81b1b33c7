import { toModelNetError } from '../../../utils/errors.ts'
import { nothing, serial, times } from '../bounds.ts'
import { isUnwanted, partOf, withAnswers } from '../context.ts'
import type { Board, Bound, Path } from '../path.ts'
import type { Arguments } from '../term.ts'
import type { Condition } from '../vocabulary.ts'

/**
 * Repeats a path until the condition accepts the answers, at most `max` times; what already will do is not repeated.
 * Where the condition knows degrees, the board that came nearest is kept, the earlier of equals: a round can only gain.
 */
export function loopPath(body: Path, condition: Condition, max: number, args: Arguments = {}): Path {
  return {
    kind: 'loop',
    bound(given = {}) {
      const bounds: Bound[] = []
      let answers = given.answers ?? 0
      for (let round = 0; round < max; round++) {
        const checked = { ...nothing(), ...condition.bound?.({ ...given, answers }, args) }
        const made = body.bound({ ...given, answers })
        // as many answers as there were: all further rounds are like this one
        const rounds = made.answers === answers ? max - round : 1
        bounds.push({ ...times(rounds, serial([checked, made])), answers: made.answers })
        answers = made.answers
        round += rounds - 1
      }
      return serial(bounds)
    },
    async *run(board, context) {
      let current = board
      let best: { readonly board: Board; readonly score: number } | undefined
      for (let round = 0; round <= max; round++) {
        const part = partOf(context, `r${round + 1}`, { visible: false })
        try {
          // the last round is looked at only where looking is free
          if (current.answers.length > 0 && (round < max || !condition.bound)) {
            const verdict = yield* condition.check(current, partOf(part, 'check'), args)
            yield {
              type: 'note',
              stage: context.scope,
              message: `${condition.name} after ${round} rounds: ${verdict.why}`,
              facts: { round, accepted: verdict.accepted },
            }
            if (verdict.accepted) return verdict.answers ? withAnswers(current, verdict.answers) : current
            const { score } = verdict
            if (score !== undefined && score > (best?.score ?? -Infinity)) best = { board: current, score }
          }
          if (round < max) current = yield* body.run(current, part)
        } catch (cause) {
          if (isUnwanted(context) || current.answers.length === 0) throw cause
          const { message } = toModelNetError(cause)
          yield { type: 'note', stage: part.scope, message: `round left out, the answers so far are kept: ${message}` }
          break
        }
      }
      if (best && best.board !== current)
        yield { type: 'note', stage: context.scope, message: 'an earlier round came nearer and is kept' }
      return best?.board ?? current
    },
  }
}
