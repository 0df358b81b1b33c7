import type { Distribution, DistributionKind } from '../../protocol/index.ts'
import { END, MAX_CANDIDATES } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'

/** What rounding on the way may add or take; more is not a distribution. */
const TOLERANCE = 1e-2
const LONGEST_CANDIDATE = 1024

/**
 * Checks what a member said: a peer may send anything. A byte distribution comes back with the sum 1; candidates come
 * back best first. Throws PROTOCOL_ERROR.
 */
export function checkDistribution(
  distribution: Distribution | undefined,
  kind: DistributionKind['kind'],
): Distribution {
  if (distribution?.kind !== kind) throw invalid(`a distribution of ${kind}`)
  if (distribution.kind === 'bytes') {
    const { probabilities } = distribution
    if (probabilities.length !== END + 1) throw invalid(`${END + 1} probabilities`)
    let sum = 0
    for (let symbol = 0; symbol < probabilities.length; symbol++) {
      const probability = probabilities[symbol] ?? Number.NaN
      if (!(probability >= 0)) throw invalid('probabilities that are not negative')
      sum += probability
    }
    if (!(Math.abs(sum - 1) <= TOLERANCE)) throw invalid('probabilities that sum to 1')
    return Math.abs(sum - 1) < 1e-9
      ? distribution
      : { kind: 'bytes', probabilities: probabilities.map(value => value / sum) }
  }
  const { candidates, end, residual } = distribution
  if (candidates.length > MAX_CANDIDATES) throw invalid(`at most ${MAX_CANDIDATES} candidates`)
  let mass = Math.exp(end)
  let sorted = true
  let last = Number.POSITIVE_INFINITY
  for (const { bytes, logprob } of candidates) {
    if (!(bytes.length > 0 && bytes.length <= LONGEST_CANDIDATE)) throw invalid('candidates of some bytes')
    if (!(logprob <= TOLERANCE)) throw invalid('log-probabilities')
    mass += Math.exp(logprob)
    sorted &&= logprob <= last
    last = logprob
  }
  if (!(mass <= 1 + TOLERANCE && residual >= -TOLERANCE && residual <= 1 + TOLERANCE))
    throw invalid('candidates of at most the whole probability mass')
  // Rounding may leave a residual a little outside, whose logarithm would be none.
  const left = Math.min(1, Math.max(0, residual))
  if (sorted && left === residual) return distribution
  return { ...distribution, residual: left, candidates: candidates.toSorted((a, b) => b.logprob - a.logprob) }
}

function invalid(expected: string): ModelNetError {
  return new ModelNetError('PROTOCOL_ERROR', `expected ${expected} from a member of the fusion`)
}
