import { SHARE } from '../pathway/parameters.ts'
import type { Board, PathwayContext } from '../pathway/path.ts'
import type { Arguments } from '../pathway/term.ts'
import type { Condition, Verdict } from '../pathway/vocabulary.ts'
import { ballotKey, equalBallots, formatOf, KEYED, totalUsage, weightedBallots } from '../rules/ballots.ts'
import { tally } from '../rules/tally.ts'

/** All answers are the same, or a share of them; abstentions do not agree with anyone. */
export const agree: Condition = {
  name: 'agree',
  description: 'at least two answers, and all (or the share `share`) say the same',
  parameters: { share: SHARE, ...KEYED },
  // biome-ignore lint/correctness/useYield: it asks nobody
  async *check(board, context, args) {
    return agreement(board, context, args, Number(args['share'] ?? 1))
  },
}

/** More than two thirds say the same: DyLAN's rule, count > floor(2n/3). */
export const consensus: Condition = {
  name: 'consensus',
  description: 'more than two thirds of the answers say the same',
  parameters: KEYED,
  // biome-ignore lint/correctness/useYield: it asks nobody
  async *check(board, context, args) {
    const needed = Math.floor((2 * board.answers.length) / 3) + 1
    return agreement(board, context, args, needed / Math.max(1, board.answers.length))
  },
}

/** An answer of the form the question asks for. */
export const parsed: Condition = {
  name: 'parsed',
  description: 'an answer of the expected form is there',
  parameters: KEYED,
  async *check(board, _context, args) {
    const format = formatOf(board, args)
    const accepted = board.answers.some(answer => ballotKey(answer, format) !== undefined)
    return { accepted, why: accepted ? `it is a ${format}` : `no ${format} can be read from it` }
  },
}

/** Confidence of the maker, where it told token probabilities or was elected. */
export const confident: Condition = {
  name: 'confident',
  description: 'the maker of the first answer is at least `at` sure (default 0.8)',
  parameters: { at: SHARE },
  // biome-ignore lint/correctness/useYield: it asks nobody
  async *check(board, _context, args) {
    const at = Number(args['at'] ?? 0.8)
    const confidence = board.answers[0]?.confidence
    if (confidence === undefined) return { accepted: false, why: 'nobody says how sure it is' }
    return { accepted: confidence >= at, why: `confidence ${confidence.toFixed(2)}, asked for ${at}` }
  },
}

/** The default of `?`: several answers must agree, one must be of the expected form and not be unsure. */
export const sure: Condition = {
  name: 'sure',
  description: 'several answers agree; or one of the expected form whose maker is not unsure',
  parameters: { share: SHARE, at: SHARE, ...KEYED },
  async *check(board, context, args) {
    if (board.answers.length > 1) return yield* agree.check(board, context, args)
    const form = yield* parsed.check(board, context, args)
    const confidence = board.answers[0]?.confidence
    if (!form.accepted || confidence === undefined) return form
    return yield* confident.check(board, context, { at: 0.5, ...args })
  },
}

function agreement(board: Board, context: PathwayContext, args: Arguments, share: number): Verdict {
  const { groups } = tally(equalBallots(board, args))
  const [first] = groups
  if (!first) return { accepted: false, why: 'no answer can be read', score: 0 }
  const reached = first.answers.length / board.answers.length
  const accepted = board.answers.length > 1 && reached >= share - 1e-9
  const why = `${first.answers.length} of ${board.answers.length} say ${first.key.slice(0, 40)}`
  if (!accepted) return { accepted, why, score: reached }
  const best = tally(weightedBallots(board, context, args)).groups.find(({ key }) => key === first.key)?.answers[0]
  const chosen = best ?? first.answers[0]
  return {
    accepted,
    why,
    score: reached,
    ...(chosen ? { answers: [{ ...chosen, usage: totalUsage(board.answers), confidence: reached }] } : {}),
  }
}
