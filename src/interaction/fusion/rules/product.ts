import { fromScores, perKey, rankedCandidates } from '../candidates.ts'
import type { FusionRule } from '../rule.ts'
import { orderedSum, softmax } from '../rule.ts'

/** A member may veto, but not beyond recall: below this no probability is taken to mean anything. */
const SMALLEST_PROBABILITY = 1e-9

/** The weighted geometric mean: what all members find probable. */
export const product: FusionRule = {
  name: 'product',
  bytes(votes) {
    const parts = new Float64Array(votes.length)
    const logs = new Float64Array(votes[0]?.distribution.probabilities.length ?? 0)
    for (let symbol = 0; symbol < logs.length; symbol++) {
      for (const [index, { weight, distribution }] of votes.entries())
        parts[index] = weight * Math.log(Math.max(distribution.probabilities[symbol] ?? 0, SMALLEST_PROBABILITY))
      logs[symbol] = orderedSum(parts)
    }
    return softmax(logs)
  },
  tokens(votes) {
    const members = votes.map(
      ({ weight, distribution }) =>
        new Map(
          rankedCandidates(distribution, Number.POSITIVE_INFINITY).map(([key, logprob]) => [key, weight * logprob]),
        ),
    )
    // What a member does not report has at most the probability of its last candidate and of all that is left.
    const floors = votes.map(({ weight, distribution }) => {
      const last = distribution.candidates.at(-1)?.logprob ?? 0
      return (
        weight *
        Math.max(
          Math.log(SMALLEST_PROBABILITY),
          Math.min(last, Math.log(Math.max(0, distribution.residual))) - Math.LN2,
        )
      )
    })
    return fromScores(perKey(members, orderedSum, member => floors[member] ?? 0))
  },
}
