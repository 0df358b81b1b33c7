import { ModelNetError } from '../../utils/errors.ts'
import { canReview } from '../judging/abilities.ts'
import { askBetter, askMostConsistent, askOrder } from '../judging/judges.ts'
import { askReviewer, isReviewer } from '../judging/reviewer.ts'
import { together } from '../judging/together.ts'
import { oneCall, parallel, times } from '../pathway/bounds.ts'
import { partOf } from '../pathway/context.ts'
import { COUNT, NAME } from '../pathway/parameters.ts'
import type { Answer, Board, Bound, BoundGiven, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import type { Wanted } from '../pathway/resolve.ts'
import type { Arguments } from '../pathway/term.ts'
import type { Rule } from '../pathway/vocabulary.ts'
import { bestMade, KEYED, totalUsage } from './ballots.ts'
import { vote } from './vote.ts'

/** Above so many answers not all pairs are compared. */
const MAX_ALL_PAIRS = 4

const judgeOf = ({ by = '*' }: Arguments): string => String(by)

/**
 * Pairwise comparison by a judge that is none of the members where there is another, each pair in both orders
 * (LLM-Blender's PairRanker with order swap, B6). The answer with most wins; a judge that contradicts itself when the
 * order is swapped gives each half a win.
 */
export const rank: Rule = {
  name: 'rank',
  description: 'a judge compares the answers in pairs and in both orders; most wins',
  parameters: { by: NAME },
  bound(given, args) {
    const n = given.answers ?? 0
    return judging(n <= MAX_ALL_PAIRS ? n * (n - 1) : 2 * (n - 1), given, args)
  },
  async *run(board, context, args) {
    const wins = yield* pairwiseWins(board, context, judgeOf(args))
    return elected(board, context, wins)
  },
}

/** The best few by pairwise comparison, best first: what is worth fusing (LLM-Blender keeps three). */
export const top: Rule = {
  name: 'top',
  description: 'the best `n` answers by pairwise comparison, best first',
  parameters: { n: COUNT, by: NAME },
  bound: (given, args) => ({
    ...rank.bound?.(given, args),
    answers: Math.min(given.answers ?? 0, Number(args['n'] ?? 3)),
  }),
  async *run(board, context, args) {
    const wins = yield* pairwiseWins(board, context, judgeOf(args))
    const order = board.answers.map((_, index) => index).sort((a, b) => (wins[b] ?? 0) - (wins[a] ?? 0))
    return order.slice(0, Number(args['n'] ?? 3)).flatMap(index => board.answers[index] ?? [])
  },
}

/** Ranked vote: several judges order all answers, Borda points are added up. */
export const borda: Rule = {
  name: 'borda',
  description: 'ranked vote: `n` judges order all answers, points by place',
  parameters: { n: COUNT, by: NAME },
  bound: (given, args) => judging(Number(args['n'] ?? 3), given, args),
  async *run(board, context, args) {
    const { answers } = board
    if (answers.length < 2) return elected(board, context, [])
    const judges = Number(args['n'] ?? 3)
    const orders = yield* together(
      Array.from(
        { length: judges },
        (_, index) => (part: PathwayContext) =>
          askOrder({ reference: judgeOf(args), rank: index, ranks: judges }, answers, board, part),
      ),
      board,
      context,
    )
    const points = answers.map(() => 0)
    for (const order of orders)
      order?.verdict?.forEach((answer, place) => {
        points[answer] = (points[answer] ?? 0) + answers.length - 1 - place
      })
    yield { type: 'note', stage: context.scope, message: `points ${points.join(', ')}`, facts: { points } }
    return elected(board, context, points)
  },
}

/** Universal self-consistency (B4): one model says which answer most agree with, asked in two orders against order bias. */
export const usc: Rule = {
  name: 'usc',
  description: 'a model picks the answer most others agree with, asked in two orders; else a vote',
  parameters: { by: NAME, ...KEYED },
  bound: (given, args) => judging(2, given, args),
  async *run(board, context, args) {
    const { answers } = board
    if (answers.length < 2) return elected(board, context, [])
    const reversed = answers.toReversed()
    const wanted = { reference: judgeOf(args) }
    const [forward, backward] = yield* together(
      [
        (part: PathwayContext) => askMostConsistent(wanted, answers, board, part),
        (part: PathwayContext) => askMostConsistent(wanted, reversed, board, part),
      ],
      board,
      context,
    )
    const first = forward?.verdict
    const second = backward?.verdict === undefined ? undefined : answers.length - 1 - backward.verdict
    const chosen = answers[first ?? second ?? -1]
    if (chosen && (first === undefined || second === undefined || first === second))
      return { ...chosen, usage: totalUsage(answers) }
    yield { type: 'note', stage: context.scope, message: 'the two orders gave different answers: a vote decides' }
    return yield* vote.run(board, context, args)
  },
}

/** Wins of each answer, half a win each where the judge contradicts itself. All pairs, or a bubble of n-1. */
async function* pairwiseWins(
  board: Board,
  context: PathwayContext,
  judge: string,
): AsyncGenerator<PathwayEvent, readonly number[]> {
  const { answers } = board
  const wins = answers.map(() => 0)
  const wanted = { reference: judge, avoid: answers.map(({ by }) => by) }
  if (answers.length > 1 && isReviewer({ ...wanted, able: canReview(board.analysis) }, board, partOf(context, 'j0')))
    return yield* reviewedWins(wanted, board, context)
  const compare = async function* (pairs: readonly (readonly [number, number])[]): AsyncGenerator<PathwayEvent, void> {
    const asked = pairs.flatMap(([a, b]) => [
      [a, b],
      [b, a],
    ])
    const judged = yield* together(
      asked.map(
        ([a, b]) =>
          (part: PathwayContext) =>
            askBetter(wanted, [answers[a ?? 0] as Answer, answers[b ?? 0] as Answer], board, part),
      ),
      board,
      context,
    )
    judged.forEach((judgement, index) => {
      const winner = judgement?.verdict === undefined ? undefined : asked[index]?.[judgement.verdict]
      if (winner !== undefined) wins[winner] = (wins[winner] ?? 0) + 0.5
    })
  }
  if (answers.length <= MAX_ALL_PAIRS) {
    const pairs = answers.flatMap((_, a) => answers.flatMap((__, b) => (a < b ? [[a, b] as const] : [])))
    yield* compare(pairs)
  } else {
    let top = 0
    for (let next = 1; next < answers.length; next++) {
      const before = [wins[top] ?? 0, wins[next] ?? 0]
      yield* compare([[top, next]])
      if ((wins[next] ?? 0) - (before[1] ?? 0) > (wins[top] ?? 0) - (before[0] ?? 0)) top = next
    }
    wins[top] = (wins[top] ?? 0) + answers.length
  }
  yield { type: 'note', stage: context.scope, message: `wins ${wins.join(', ')}`, facts: { wins } }
  return wins
}

/** Who was trained to review looks at each answer alone: what it approves wins. */
async function* reviewedWins(
  wanted: Wanted,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, readonly number[]> {
  const { answers } = board
  const able = { ...wanted, able: canReview(board.analysis) }
  const reviews = yield* together(
    answers.map(answer => (part: PathwayContext) => askReviewer(able, answer, board, part)),
    board,
    context,
  )
  const wins = reviews.map(review => (review?.verdict === 'yes' ? 1 : 0))
  yield { type: 'note', stage: context.scope, message: `approved ${wins.join(', ')}`, facts: { wins } }
  return wins
}

/** The answer with most points; without any, the one whose maker is expected to be best. */
function elected(board: Board, context: PathwayContext, points: readonly number[]): Answer {
  const top = Math.max(0, ...points)
  const leaders = board.answers.filter((_, index) => top > 0 && points[index] === top)
  const chosen = bestMade({ ...board, answers: leaders }, context) ?? bestMade(board, context)
  if (!chosen) throw new ModelNetError('NO_CANDIDATE', 'there are no answers to pick from')
  return { ...chosen, usage: totalUsage(board.answers) }
}

const judging = (calls: number, given: BoundGiven, args: Arguments): Partial<Bound> => ({
  ...times(Math.max(0, calls), oneCall(judgeOf(args), given)),
  depth:
    parallel([oneCall('')]).depth *
    (calls > 0 ? Math.max(1, (given.answers ?? 0) > MAX_ALL_PAIRS ? (given.answers ?? 1) - 1 : 1) : 0),
})
