import type { Distribution } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'

/** Online Bayes weights: a member that foresaw the text so far counts more in what follows. */
export interface LearnOptions {
  /** Exponent of the likelihood at each symbol; 0 learns nothing, 1 is Bayes' rule. @default 0.3, best in spec A4 */
  readonly rate?: number
  /** Smallest learned weight, so that a member can come back. @default 0.002 */
  readonly floor?: number
}

export const LEARN_DEFAULTS: Required<LearnOptions> = { rate: 0.3, floor: 0.002 }

/** w <- w * p(symbol)^rate, scaled to sum 1, not below the floor. Members without a likelihood (late) keep their share. */
export function learned(
  weights: readonly number[],
  likelihoods: readonly (number | undefined)[],
  options: Required<LearnOptions>,
): readonly number[] {
  const { rate, floor } = options
  if (rate === 0) return weights
  const known = likelihoods.filter(value => value !== undefined)
  if (known.length === 0) return weights
  // A member that said nothing is taken to have foreseen the text as well as the others did on average.
  const usual =
    known
      .map(value => value ** rate)
      .sort((a, b) => a - b)
      .reduce((sum, value) => sum + value, 0) / known.length
  const raised = weights.map((weight, index) => {
    const likelihood = likelihoods[index]
    return weight * (likelihood === undefined ? usual : likelihood ** rate)
  })
  const total = raised.toSorted((a, b) => a - b).reduce((sum, value) => sum + value, 0)
  if (!(total > 0)) return weights
  return raised.map(value => Math.max(floor, value / total))
}

/** No likelihood is taken to be smaller: one unforeseen symbol must not silence a member for good. */
const SMALLEST_LIKELIHOOD = 1e-6

/** The probability a member gave to the bytes that were committed at this position. */
export function likelihoodOf(distribution: Distribution, bytes: Uint8Array): number {
  if (distribution.kind === 'bytes')
    return Math.max(distribution.probabilities[bytes[0] ?? END] ?? 0, SMALLEST_LIKELIHOOD)
  const { candidates, residual } = distribution
  const found = candidates.find(candidate => Buffer.compare(candidate.bytes, bytes) === 0)
  if (found) return Math.max(Math.exp(found.logprob), SMALLEST_LIKELIHOOD)
  const last = Math.exp(candidates.at(-1)?.logprob ?? 0)
  return Math.max(Math.min(last, residual) / 2, SMALLEST_LIKELIHOOD)
}

/** The bytes a member would have chosen here; empty for the end. */
export function favourite(distribution: Distribution): Uint8Array {
  if (distribution.kind === 'bytes') {
    const { probabilities } = distribution
    let best = 0
    for (let symbol = 1; symbol < probabilities.length; symbol++)
      if ((probabilities[symbol] ?? 0) > (probabilities[best] ?? 0)) best = symbol
    return best === END ? new Uint8Array() : Uint8Array.of(best)
  }
  const first = distribution.candidates[0]
  return first && first.logprob > distribution.end ? first.bytes : new Uint8Array()
}

/** The probability of the best symbol, the end included. */
export function confidenceOf(distribution: Distribution): number {
  if (distribution.kind === 'bytes') return distribution.probabilities.reduce((max, value) => Math.max(max, value), 0)
  return Math.exp(Math.max(distribution.candidates[0]?.logprob ?? Number.NEGATIVE_INFINITY, distribution.end))
}
