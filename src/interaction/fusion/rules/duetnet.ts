import type { TokenDistribution } from '../../../protocol/index.ts'
import { fromScores, perKey, rankedCandidates } from '../candidates.ts'
import type { FusionRule } from '../rule.ts'
import { orderedSum } from '../rule.ts'

export interface DuetNetOptions {
  /** tau_K: candidates looked at per member. @default 10 */
  readonly topK?: number
  /** tau_P: of these, the smallest set with so much of their probability is kept. @default 0.75 */
  readonly topP?: number
}

/**
 * DuetNet as published (section 5.2): the sum of raw logits over the members that keep a candidate, 0 for those that do
 * not. Kept to reproduce it: it is not invariant to a shift of a member's logits, and a negative logit loses to silence
 * (W05). Sessions report log-probabilities, so `offset` stands for the normaliser of the logits; weights do not count.
 */
export function duetNetRaw(options: DuetNetOptions & { readonly offset?: number } = {}): FusionRule {
  const { topK = 10, topP = 0.75, offset = 0 } = options
  return {
    name: 'duet-raw',
    tokens(votes) {
      const members = votes.map(({ distribution }) => {
        const { kept } = jointTruncation(distribution, topK, topP)
        return new Map(kept.map(([key, logit]) => [key, logit + offset]))
      })
      return fromScores(perKey(members, orderedSum, () => 0))
    },
  }
}

/**
 * DuetNet corrected: a candidate counts by how far it stands above the last of the member's best K, so that a shift of
 * a member's logits changes nothing, every kept score is positive, and absence is the floor: the worst there is.
 */
export function duetNet(options: DuetNetOptions = {}): FusionRule {
  const { topK = 10, topP = 0.75 } = options
  return {
    name: 'duet',
    tokens(votes) {
      const members = votes.map(({ weight, distribution }) => {
        const { kept, floor } = jointTruncation(distribution, topK, topP)
        return new Map(kept.map(([key, logprob]) => [key, weight * votes.length * (logprob - floor)]))
      })
      return fromScores(perKey(members, orderedSum, () => 0))
    },
  }
}

interface Truncation {
  readonly kept: readonly [string, number][]
  /** Score of the last of the best K. */
  readonly floor: number
}

/** chi(logit, tau_K, tau_P): never empty. Probabilities are those among the best K: figure 5 fits, and shifts cancel. */
export function jointTruncation(distribution: TokenDistribution, topK: number, topP: number): Truncation {
  const best = rankedCandidates(distribution, topK)
  const max = best[0]?.[1] ?? 0
  const weights = best.map(([, score]) => Math.exp(score - max))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let count = 0
  for (let sum = 0; count < best.length && (count === 0 || sum < topP * total); count++) sum += weights[count] ?? 0
  return { kept: best.slice(0, count), floor: best.at(-1)?.[1] ?? 0 }
}
