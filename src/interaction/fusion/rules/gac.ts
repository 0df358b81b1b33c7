import type { TokenDistribution } from '../../../protocol/index.ts'
import { meanTokens } from '../mean-votes.ts'
import type { FusionRule, Vote } from '../rule.ts'

export interface GacOptions {
  /** Candidates taken from each member. @default 50, as DuetNet's authors approximate it */
  readonly top?: number
  /** The member that decides alone where it is sure. */
  readonly primary?: string
  /** Fuse only where the primary's best candidate has less than this probability. @default 0.5 */
  readonly threshold?: number
}

/** GaC (Yu et al.): the mean of probabilities over the union of strings, optionally only where the primary is unsure. */
export function gac({ top = 50, primary, threshold = 0.5 }: GacOptions = {}): FusionRule {
  return {
    name: 'gac',
    tokens(votes) {
      const first = votes.find(({ name }) => name === primary)
      return first && isSure(first, threshold) ? meanTokens([{ ...first, weight: 1 }], top) : meanTokens(votes, top)
    },
  }
}

const isSure = ({ distribution }: Vote<TokenDistribution>, threshold: number): boolean =>
  Math.exp(Math.max(distribution.end, distribution.candidates[0]?.logprob ?? Number.NEGATIVE_INFINITY)) >= threshold
