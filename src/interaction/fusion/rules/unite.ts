import { fromProbabilities, perKey, rankedCandidates } from '../candidates.ts'
import type { FusionRule } from '../rule.ts'
import { orderedSum, softmax } from '../rule.ts'

/**
 * UniTE (ICLR 2025): a softmax over the union of the members' best `top` in each member, then the mean. Where a member
 * does not report a candidate, its score is that of its last candidate less ln 2 (spec A2: the floor when only the best
 * log-probabilities are known).
 */
export function unite({ top = 10 }: { readonly top?: number } = {}): FusionRule {
  return {
    name: 'unite',
    tokens(votes) {
      const ranked = votes.map(({ distribution }) => rankedCandidates(distribution, top))
      const union = [...new Set(ranked.flatMap(entries => entries.map(([key]) => key)))].sort()
      const members = votes.map(({ weight, distribution }, index) => {
        const known = new Map(rankedCandidates(distribution, Number.POSITIVE_INFINITY))
        const floor = (ranked[index]?.at(-1)?.[1] ?? 0) - Math.LN2
        const weights = softmax(Float64Array.from(union, key => known.get(key) ?? floor))
        const total = weights.reduce((sum, value) => sum + value, 0)
        return new Map(union.map((key, at) => [key, (weight * (weights[at] ?? 0)) / total]))
      })
      return fromProbabilities(perKey(members, orderedSum, () => 0))
    },
  }
}
