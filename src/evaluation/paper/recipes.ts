import { duetNet, duetNetRaw, type FusionRule, fusionRule, jointTruncation } from '../../interaction/index.ts'
import type { TokenDistribution } from '../../protocol/index.ts'
import type { FusionRecipe } from './bench.ts'

/**
 * Nats that stand for the normaliser of a model's logits in DuetNet as published: sessions report log-probabilities,
 * and raw logits lie that much higher (the paper's worked example has best logits of 29 and 21 nats). What it should be
 * is arbitrary, which is the method's defect; the report sweeps it.
 */
const RAW_OFFSET = 10

/** The fusion rule of a recipe; all but `bytes` work on token candidates. */
export function ruleOf({ method, topK = 10, topP = 0.75, offset = RAW_OFFSET }: FusionRecipe): FusionRule {
  switch (method) {
    case 'duet-raw':
      return duetNetRaw({ topK, topP, offset })
    case 'dk':
      return { ...duetNetRaw({ topK, topP: 1, offset }), name: 'dk' }
    case 'duet':
      return duetNet({ topK, topP })
    case 'dp':
      return probabilitySum(topK, topP)
    case 'bytes':
      return fusionRule('mean')
    default:
      return fusionRule(method)
  }
}

/** DP of the DuetNet paper: its truncation, then the sum of probabilities instead of logits. */
const probabilitySum = (topK: number, topP: number): FusionRule => ({
  name: 'dp',
  tokens(votes) {
    const sums = new Map<string, number>()
    for (const { distribution } of votes.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      for (const [key, logprob] of jointTruncation(distribution, topK, topP).kept)
        sums.set(key, (sums.get(key) ?? 0) + Math.exp(logprob))
    return toDistribution(sums)
  },
})

/** Scores as a distribution, best first; the empty key is the end of the text, the others are bytes in Latin-1. */
function toDistribution(scores: ReadonlyMap<string, number>): TokenDistribution {
  const total = [...scores.values()].reduce((sum, score) => sum + score, 0)
  const ranked = [...scores].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  const candidates = ranked
    .filter(([key]) => key !== '')
    .map(([key, score]) => ({ bytes: Uint8Array.from(Buffer.from(key, 'latin1')), logprob: Math.log(score / total) }))
  const end = scores.get('')
  return {
    kind: 'tokens',
    candidates,
    end: end === undefined ? Number.NEGATIVE_INFINITY : Math.log(end / total),
    residual: 0,
  }
}
