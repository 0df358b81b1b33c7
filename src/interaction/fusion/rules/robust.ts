import { fromProbabilities, perKey, rankedCandidates } from '../candidates.ts'
import { meanBytes, meanTokens } from '../mean-votes.ts'
import type { FusionRule, Vote } from '../rule.ts'
import { orderedSum } from '../rule.ts'

/** No member counts more than this times all others together: two fifths of the whole, never the majority. */
const LARGEST_RATIO = 2 / 3

/**
 * The weighted median of each symbol's probability, then scaled to sum 1: of three or more members, those that hold
 * less than half of the weight cannot move a symbol beyond what the others say. With two it is the mean.
 */
export const robust: FusionRule = {
  name: 'robust',
  bytes(votes) {
    if (votes.length < 3) return meanBytes(votes)
    const weights = cappedWeights(votes)
    const values = new Float64Array(votes.length)
    const out = new Float64Array(votes[0]?.distribution.probabilities.length ?? 0)
    for (let symbol = 0; symbol < out.length; symbol++) {
      for (const [index, { distribution }] of votes.entries()) values[index] = distribution.probabilities[symbol] ?? 0
      out[symbol] = weightedMedian(values, weights)
    }
    // Members that share no symbol with a majority have no median to speak of.
    return out.some(value => value > 0) ? out : meanBytes(votes)
  },
  tokens(votes) {
    if (votes.length < 3) return meanTokens(votes)
    const weights = cappedWeights(votes)
    const members = votes.map(
      ({ distribution }) =>
        new Map(
          rankedCandidates(distribution, Number.POSITIVE_INFINITY).map(([key, logprob]) => [key, Math.exp(logprob)]),
        ),
    )
    const medians = perKey(
      members,
      values => weightedMedian(values, weights),
      () => 0,
    )
    return someMass(medians) ? fromProbabilities(scaled(medians)) : meanTokens(votes)
  },
}

function cappedWeights(votes: readonly Vote[]): Float64Array {
  const total = orderedSum(Float64Array.from(votes, ({ weight }) => weight))
  return Float64Array.from(votes, ({ weight }) => Math.min(weight, (total - weight) * LARGEST_RATIO))
}

/** The mean of the lower and the upper weighted median. */
function weightedMedian(values: Float64Array, weights: Float64Array): number {
  const order = Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2
  let below = 0
  for (const [rank, index] of order.entries()) {
    below += weights[index] ?? 0
    if (Math.abs(below - half) < 1e-12) return ((values[index] ?? 0) + (values[order[rank + 1] ?? index] ?? 0)) / 2
    if (below > half) return values[index] ?? 0
  }
  return 0
}

const someMass = (probabilities: ReadonlyMap<string, number>): boolean =>
  [...probabilities.values()].some(value => value > 0)

function scaled(probabilities: ReadonlyMap<string, number>): Map<string, number> {
  const entries = [...probabilities].filter(([, value]) => value > 0)
  const total = entries
    .map(([, value]) => value)
    .sort((a, b) => a - b)
    .reduce((sum, value) => sum + value, 0)
  return new Map(entries.map(([key, value]) => [key, value / total]))
}
