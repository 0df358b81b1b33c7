import type { ByteDistribution, Candidate, Distribution, TokenDistribution } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'

/** What one member says about the next symbol, and how much it counts; weights of a step are positive and sum to 1. */
export interface Vote<D extends Distribution = Distribution> {
  readonly name: string
  readonly weight: number
  readonly distribution: D
}

/**
 * Combines the distributions of a step into one. A rule is a pure function: the order of votes must not matter. It says
 * which alphabets it is for; a rule on candidates also serves bytes, seen as candidates of one byte.
 */
export interface FusionRule {
  readonly name: string
  /** Members without whose vote the rule can say nothing: who is late among them is waited for. */
  readonly needs?: readonly string[]
  readonly bytes?: (votes: readonly Vote<ByteDistribution>[]) => Float64Array
  readonly tokens?: (votes: readonly Vote<TokenDistribution>[]) => TokenDistribution
}

/** Applies a rule to votes over one alphabet. Throws UNSUPPORTED where the rule is not for it. */
export function combine(rule: FusionRule, votes: readonly Vote[]): Distribution {
  const bytes = votes.filter((vote): vote is Vote<ByteDistribution> => vote.distribution.kind === 'bytes')
  const tokens = votes.filter((vote): vote is Vote<TokenDistribution> => vote.distribution.kind === 'tokens')
  if (votes.length === 0 || (bytes.length > 0 && tokens.length > 0))
    throw new ModelNetError('INVALID_REQUEST', 'expected votes over one alphabet: bytes, or token candidates')
  if (bytes.length > 0) {
    if (rule.bytes) return { kind: 'bytes', probabilities: normalise(rule.bytes(bytes)) }
    if (rule.tokens) return toBytes(rule.tokens(bytes.map(vote => ({ ...vote, distribution: toCandidates(vote) }))))
  } else if (rule.tokens) return rule.tokens(tokens)
  throw new ModelNetError('UNSUPPORTED', `the rule ${rule.name} does not combine token candidates`)
}

/** Sums in ascending order, so that the result does not depend on the order of members (W19), not even in its last bit. */
export function orderedSum(values: Float64Array): number {
  // Insertion sort: a fusion has a handful of members, and this runs for each of 257 symbols at each step.
  for (let index = 1; index < values.length; index++) {
    const value = values[index] ?? 0
    let at = index
    for (; at > 0 && (values[at - 1] ?? 0) > value; at--) values[at] = values[at - 1] ?? 0
    values[at] = value
  }
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0
  return sum
}

/** Scales to a sum of 1; all zero becomes the end. */
function normalise(probabilities: Float64Array): Float64Array {
  let sum = 0
  for (const value of probabilities) sum += value
  if (!(sum > 0) || !Number.isFinite(sum)) {
    probabilities.fill(0)
    probabilities[END] = 1
    return probabilities
  }
  for (let index = 0; index < probabilities.length; index++) probabilities[index] = (probabilities[index] ?? 0) / sum
  return probabilities
}

/** Softmax of natural logs. */
export function softmax(logs: Float64Array): Float64Array {
  let max = Number.NEGATIVE_INFINITY
  for (const value of logs) if (value > max) max = value
  return logs.map(value => Math.exp(value - max))
}

function toCandidates({ distribution }: Vote<ByteDistribution>): TokenDistribution {
  const candidates: Candidate[] = []
  let end = Number.NEGATIVE_INFINITY
  for (const [symbol, probability] of distribution.probabilities.entries())
    if (symbol === END) end = Math.log(probability)
    else if (probability > 0) candidates.push({ bytes: Uint8Array.of(symbol), logprob: Math.log(probability) })
  candidates.sort((a, b) => b.logprob - a.logprob)
  return { kind: 'tokens', candidates, end, residual: 0 }
}

function toBytes({ candidates, end }: TokenDistribution): ByteDistribution {
  const probabilities = new Float64Array(END + 1)
  for (const { bytes, logprob } of candidates) probabilities[bytes[0] ?? END] = Math.exp(logprob)
  probabilities[END] = Math.exp(end)
  return { kind: 'bytes', probabilities: normalise(probabilities) }
}
