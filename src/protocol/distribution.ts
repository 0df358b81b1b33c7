import { ModelNetError } from '../utils/errors.ts'
import {
  type ByteDistribution,
  type Candidate,
  type DecodeResult,
  type Distribution,
  type Draft,
  END,
  type TokenDistribution,
} from './decode.ts'
import { DISTRIBUTION_TOLERANCE, MAX_CANDIDATES, MAX_DISTRIBUTIONS, MAX_STEP_BYTES } from './limits.ts'

/**
 * A distribution as a frame carries it. Of bytes: a byte string of 33 bytes in which bit `i` (the lowest bit of a byte
 * first) says whether probability `i` is not 0, then those probabilities as big-endian float64: exact, and short when
 * few bytes are possible. Of tokens: a flat list `end, residual, bytes, logprob, bytes, logprob, …`, numbers as float32.
 */
export type WireDistribution = Uint8Array | readonly (number | Uint8Array)[]

/** A `DecodeResult` as a frame carries it. */
export interface WireDecodeResult {
  readonly distributions?: readonly WireDistribution[]
  readonly draft?: Draft
}

/** Throws ENGINE_FAILED when it is no distribution, so that the fault is found where it is made. */
export function encodeDistribution(distribution: Distribution): WireDistribution {
  const fault = distribution.kind === 'bytes' ? findByteFault(distribution.probabilities) : undefined
  if (fault) throw new ModelNetError('ENGINE_FAILED', `not a byte distribution: ${fault}`)
  return distribution.kind === 'bytes' ? encodeBytes(distribution) : encodeTokens(distribution)
}

/** Throws PROTOCOL_ERROR unless probabilities are within 0 to 1 and sum to 1, and candidates are sorted and not empty. */
export function decodeDistribution(wire: unknown): Distribution {
  if (wire instanceof Uint8Array) return decodeBytes(wire)
  if (Array.isArray(wire)) return decodeTokens(wire)
  throw refuse('expected a byte string or a list')
}

export function encodeDecodeResult(result: DecodeResult): WireDecodeResult {
  const { distributions, draft } = result
  return {
    ...(distributions === undefined ? {} : { distributions: distributions.map(encodeDistribution) }),
    ...(draft === undefined
      ? {}
      : { draft: { bytes: draft.bytes, end: draft.end, ...(draft.ends && { ends: draft.ends }) } }),
  }
}

/** Throws PROTOCOL_ERROR. */
export function decodeDecodeResult(wire: unknown): DecodeResult {
  if (typeof wire !== 'object' || wire === null) throw refuse('expected a map')
  // A checked view: both fields are tested below.
  const { distributions, draft } = wire as { readonly distributions?: unknown; readonly draft?: unknown }
  if (distributions !== undefined && (!Array.isArray(distributions) || distributions.length > MAX_DISTRIBUTIONS))
    throw refuse(`expected a list of at most ${MAX_DISTRIBUTIONS} distributions`)
  return {
    ...(distributions === undefined ? {} : { distributions: distributions.map(decodeDistribution) }),
    ...(draft === undefined ? {} : { draft: decodeDraft(draft) }),
  }
}

const BITMAP_BYTES = Math.ceil((END + 1) / 8)
const FLOAT_BYTES = 8

function encodeBytes({ probabilities }: ByteDistribution): Uint8Array {
  const bytes = new Uint8Array(BITMAP_BYTES + FLOAT_BYTES * probabilities.length)
  const view = new DataView(bytes.buffer)
  let position = BITMAP_BYTES
  for (const [index, probability] of probabilities.entries()) {
    if (probability === 0) continue
    view.setUint8(index >> 3, view.getUint8(index >> 3) | (1 << (index & 7)))
    view.setFloat64(position, probability)
    position += FLOAT_BYTES
  }
  return bytes.slice(0, position)
}

function decodeBytes(wire: Uint8Array): ByteDistribution {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength)
  const probabilities = new Float64Array(END + 1)
  let position = BITMAP_BYTES
  for (let index = 0; index < BITMAP_BYTES * 8; index++) {
    if (index >> 3 >= wire.length) throw refuse(`expected ${BITMAP_BYTES} bytes of bitmap`)
    if ((view.getUint8(index >> 3) & (1 << (index & 7))) === 0) continue
    if (index > END || position + FLOAT_BYTES > wire.length) throw refuse('the bitmap and the probabilities differ')
    const probability = view.getFloat64(position)
    if (probability === 0) throw refuse('a probability of 0 is not written')
    probabilities[index] = probability
    position += FLOAT_BYTES
  }
  const fault = position === wire.length ? findByteFault(probabilities) : 'there are more probabilities than bits'
  if (fault) throw refuse(fault)
  return { kind: 'bytes', probabilities }
}

function findByteFault(probabilities: Float64Array): string | undefined {
  if (probabilities.length !== END + 1) return `expected ${END + 1} probabilities, got ${probabilities.length}`
  let sum = 0
  for (const probability of probabilities) {
    if (!(probability >= 0 && probability <= 1)) return `a probability is ${probability}`
    sum += probability
  }
  return Math.abs(sum - 1) <= DISTRIBUTION_TOLERANCE ? undefined : `the probabilities sum to ${sum}`
}

function encodeTokens(distribution: TokenDistribution): readonly (number | Uint8Array)[] {
  const rounded: TokenDistribution = {
    kind: 'tokens',
    candidates: distribution.candidates.map(({ bytes, logprob }) => ({ bytes, logprob: toFloat32(logprob, 0) })),
    end: toFloat32(distribution.end, 0),
    residual: Math.max(0, toFloat32(distribution.residual, 1)),
  }
  const fault = distribution.residual < -DISTRIBUTION_TOLERANCE ? 'the residual is negative' : findTokenFault(rounded)
  if (fault) throw new ModelNetError('ENGINE_FAILED', `not a token distribution: ${fault}`)
  return [rounded.end, rounded.residual, ...rounded.candidates.flatMap(({ bytes, logprob }) => [bytes, logprob])]
}

function decodeTokens(wire: readonly unknown[]): TokenDistribution {
  const [end, residual] = wire
  if (typeof end !== 'number' || typeof residual !== 'number' || wire.length % 2 !== 0)
    throw refuse('expected end, residual and pairs of bytes and log-probability')
  if (wire.length > 2 + 2 * MAX_CANDIDATES) throw refuse(`expected at most ${MAX_CANDIDATES} candidates`)
  const candidates: Candidate[] = []
  for (let index = 2; index < wire.length; index += 2) {
    const bytes = wire[index]
    const logprob = wire[index + 1]
    if (!(bytes instanceof Uint8Array) || typeof logprob !== 'number')
      throw refuse('expected pairs of bytes and log-probability')
    candidates.push({ bytes, logprob })
  }
  const distribution: TokenDistribution = { kind: 'tokens', candidates, end, residual }
  const fault = findTokenFault(distribution)
  if (fault) throw refuse(fault)
  return distribution
}

function findTokenFault({ candidates, end, residual }: TokenDistribution): string | undefined {
  if (candidates.length > MAX_CANDIDATES) return `${candidates.length} candidates, at most ${MAX_CANDIDATES}`
  if (!(end <= 0)) return `the log-probability of the end is ${end}`
  if (!(residual >= 0 && residual <= 1)) return `the residual is ${residual}`
  let sum = Math.exp(end) + residual
  let last = 0
  for (const { bytes, logprob } of candidates) {
    if (bytes.length === 0 || bytes.length > MAX_STEP_BYTES) return `a candidate has ${bytes.length} bytes`
    if (!(logprob <= last)) return `candidates are not in order: ${logprob} after ${last}`
    last = logprob
    sum += Math.exp(logprob)
  }
  return Math.abs(sum - 1) <= DISTRIBUTION_TOLERANCE ? undefined : `the probabilities sum to ${sum}`
}

/** The nearest float32, which is 4 bytes shorter; what rounding put above the most a value can be is brought down to it. */
function toFloat32(value: number, most: number): number {
  const rounded = Math.fround(value)
  return rounded > most && rounded <= most + DISTRIBUTION_TOLERANCE ? most : rounded
}

function decodeDraft(draft: unknown): NonNullable<DecodeResult['draft']> {
  if (typeof draft !== 'object' || draft === null) throw refuse('expected a draft')
  // A checked view: both fields are tested before they are used.
  const { bytes, end, ends } = draft as { readonly bytes?: unknown; readonly end?: unknown; readonly ends?: unknown }
  if (!(bytes instanceof Uint8Array) || bytes.length > MAX_STEP_BYTES || typeof end !== 'boolean')
    throw refuse('expected a draft of bytes and end')
  if (ends === undefined) return { bytes, end }
  if (!Array.isArray(ends) || !isAscending(ends, bytes.length)) throw refuse('expected ends of tokens within the draft')
  return { bytes, end, ends }
}

const isAscending = (offsets: readonly unknown[], most: number): offsets is readonly number[] =>
  offsets.every((offset, index) => Number.isInteger(offset) && Number(offset) > Number(offsets[index - 1] ?? 0)) &&
  Number(offsets.at(-1) ?? 0) <= most

const refuse = (what: string): ModelNetError => new ModelNetError('PROTOCOL_ERROR', `not a distribution: ${what}`)
