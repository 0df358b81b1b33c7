import { meanBytes, meanTokens } from '../mean-votes.ts'
import type { FusionRule } from '../rule.ts'

/** The weighted mean of probabilities (PI): the mixture of the members. Exactly invariant under their order. */
export const mean: FusionRule = { name: 'mean', bytes: meanBytes, tokens: votes => meanTokens(votes) }
