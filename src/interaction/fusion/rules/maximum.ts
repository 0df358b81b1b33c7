import { fromScores, perKey, rankedCandidates } from '../candidates.ts'
import type { FusionRule } from '../rule.ts'

/** The most confident member decides: each symbol gets the largest weighted probability any member gives it. */
export const maximum: FusionRule = {
  name: 'max',
  bytes(votes) {
    const out = new Float64Array(votes[0]?.distribution.probabilities.length ?? 0)
    for (const { weight, distribution } of votes)
      for (let symbol = 0; symbol < out.length; symbol++)
        out[symbol] = Math.max(out[symbol] ?? 0, weight * (distribution.probabilities[symbol] ?? 0))
    return out
  },
  tokens(votes) {
    const members = votes.map(
      ({ weight, distribution }) =>
        new Map(
          rankedCandidates(distribution, Number.POSITIVE_INFINITY).map(([key, logprob]) => [
            key,
            Math.log(weight) + logprob,
          ]),
        ),
    )
    const absent = (): number => Number.NEGATIVE_INFINITY
    return fromScores(perKey(members, values => Math.max(...values), absent))
  },
}
