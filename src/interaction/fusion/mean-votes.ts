import type { ByteDistribution, TokenDistribution } from '../../protocol/index.ts'
import { fromProbabilities, perKey, rankedCandidates } from './candidates.ts'
import { orderedSum, type Vote } from './rule.ts'

/** The weighted mean of the members' probabilities, byte by byte. */
export function meanBytes(votes: readonly Vote<ByteDistribution>[]): Float64Array {
  const parts = new Float64Array(votes.length)
  const out = new Float64Array(votes[0]?.distribution.probabilities.length ?? 0)
  for (let symbol = 0; symbol < out.length; symbol++) {
    for (let index = 0; index < votes.length; index++) {
      const vote = votes[index]
      parts[index] = vote ? vote.weight * (vote.distribution.probabilities[symbol] ?? 0) : 0
    }
    out[symbol] = orderedSum(parts)
  }
  return out
}

/** Over the union of the candidates; what a member does not report counts as 0. */
export function meanTokens(
  votes: readonly Vote<TokenDistribution>[],
  top: number = Number.POSITIVE_INFINITY,
): TokenDistribution {
  const members = votes.map(
    ({ weight, distribution }) =>
      new Map(rankedCandidates(distribution, top).map(([key, logprob]) => [key, weight * Math.exp(logprob)])),
  )
  return fromProbabilities(perKey(members, orderedSum, () => 0))
}
