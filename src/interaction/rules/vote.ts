import { ModelNetError } from '../../utils/errors.ts'
import type { Answer, Board, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import type { Rule } from '../pathway/vocabulary.ts'
import { bestMade, equalBallots, KEYED, optionsOf, totalUsage, weightedBallots } from './ballots.ts'
import type { Ballot, Group } from './tally.ts'
import { tally } from './tally.ts'

/** The most frequent answer. Ties go to the group with the heavier member, then to the order of the board. */
export const vote: Rule = {
  name: 'vote',
  description: 'the most frequent answer; what cannot be read abstains',
  parameters: KEYED,
  async *run(board, context, args) {
    const ties = weightedBallots(board, context, args).map(({ weight }) => weight)
    // a vote is one vote; ability only parts equals
    const ballots = equalBallots(board, args).map((ballot, index) => ({
      ...ballot,
      weight: 1 + 1e-6 * (ties[index] ?? 0),
    }))
    return yield* elect(ballots, board, context)
  },
  decided(board, pending) {
    const [first, second] = tally(equalBallots(board, {})).groups
    return first !== undefined && first.weight > (second?.weight ?? 0) + pending
  },
}

/** Votes weighed by log-odds of being right (collaboration-methods B2). */
export const weighted: Rule = {
  name: 'weighted',
  description: 'the answer with most log-odds behind it, by what is known of its makers',
  parameters: KEYED,
  async *run(board, context, args) {
    return yield* elect(weightedBallots(board, context, args), board, context, optionsOf(board, args))
  },
}

async function* elect(
  ballots: readonly Ballot[],
  board: Board,
  context: PathwayContext,
  options?: number,
): AsyncGenerator<PathwayEvent, Answer> {
  const { groups, abstentions, total } = tally(ballots)
  const counts = Object.fromEntries(groups.map(({ key, answers }) => [key.slice(0, 80), answers.length]))
  yield {
    type: 'note',
    stage: context.scope,
    message: `${groups.map(({ key, answers }) => `${answers.length} for ${key.slice(0, 40)}`).join(', ') || 'no votes'}, ${abstentions} abstained`,
    facts: { counts, abstentions },
  }
  const [winner] = groups
  const chosen = winner && total > 0 ? winner.answers[0] : bestMade(board, context)
  if (!chosen) throw new ModelNetError('NO_CANDIDATE', 'there are no answers to vote on')
  return {
    ...chosen,
    usage: totalUsage(board.answers),
    ...(winner && total > 0 ? { confidence: options ? posterior(groups, options) : winner.weight / total } : {}),
  }
}

/** Probability of the winner when weights are log-odds: softmax of the sums, what nobody said counting as 0 (B2). */
function posterior(groups: readonly Group[], options: number): number {
  const top = groups[0]?.weight ?? 0
  const said = groups.reduce((sum, { weight }) => sum + Math.exp(weight - top), 0)
  return 1 / (said + Math.max(0, options - groups.length) * Math.exp(-top))
}
