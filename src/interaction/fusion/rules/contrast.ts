import type { ByteDistribution } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import type { FusionRule, Vote } from '../rule.ts'
import { softmax } from '../rule.ts'

/** Of what the expert finds this much less probable than its best, nothing is taken (Li et al. 2022). */
const PLAUSIBLE = 0.1
const SMALLEST_PROBABILITY = 1e-12

/** Members by name, and how much their difference counts. */
export interface ContrastOptions {
  readonly expert: string
  readonly amateur: string
  /** @default 0.5 */
  readonly strength?: number
}

export interface ProxyTuningOptions {
  readonly base: string
  readonly tuned: string
  readonly raw: string
  /** @default 1 */
  readonly strength?: number
}

/** Contrastive decoding (Li et al. 2022): what the expert knows beyond the amateur, (1 + a) log p_e - a log p_a. */
export function contrast(options: ContrastOptions): FusionRule {
  const { expert, amateur, strength = 0.5 } = options
  return {
    name: 'contrast',
    needs: [expert],
    bytes(votes) {
      const strong = probabilitiesOf(votes, expert)
      const weak = votes.some(({ name }) => name === amateur) ? probabilitiesOf(votes, amateur) : strong
      return plausible(strong, (p, symbol) => (1 + strength) * logOf(p) - strength * logOf(weak[symbol] ?? 0))
    },
  }
}

/** Proxy tuning (Liu et al. 2024): a base model moved by what tuning changed in a small one, p ~ base (tuned / raw)^a. */
export function proxyTuning(options: ProxyTuningOptions): FusionRule {
  const { base, tuned, raw, strength = 1 } = options
  return {
    name: 'proxy',
    needs: [base],
    bytes(votes) {
      const large = probabilitiesOf(votes, base)
      const present = [tuned, raw].every(wanted => votes.some(({ name }) => name === wanted))
      if (!present) return large.slice()
      const expert = probabilitiesOf(votes, tuned)
      const anti = probabilitiesOf(votes, raw)
      return softmax(
        large.map((p, symbol) => logOf(p) + strength * (logOf(expert[symbol] ?? 0) - logOf(anti[symbol] ?? 0))),
      )
    },
  }
}

const logOf = (probability: number): number => Math.log(Math.max(probability, SMALLEST_PROBABILITY))

function plausible(expert: Float64Array, score: (p: number, symbol: number) => number): Float64Array {
  const least = PLAUSIBLE * expert.reduce((max, p) => Math.max(max, p), 0)
  return softmax(expert.map((p, symbol) => (p >= least ? score(p, symbol) : Number.NEGATIVE_INFINITY)))
}

function probabilitiesOf(votes: readonly Vote<ByteDistribution>[], name: string): Float64Array {
  const vote = votes.find(candidate => candidate.name === name)
  if (!vote) throw new ModelNetError('NO_CANDIDATE', `the rule cannot do without the member ${name}`)
  return vote.distribution.probabilities
}
