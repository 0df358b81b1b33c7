import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelNetError } from '../utils/errors.ts'
import { decodeFrame, encodeFrame } from './codec.ts'
import type { ByteDistribution, TokenDistribution } from './decode.ts'
import { decodeDecodeResult, decodeDistribution, encodeDecodeResult, encodeDistribution } from './distribution.ts'
import { MAX_CANDIDATES, MAX_DISTRIBUTIONS } from './limits.ts'

const carry = (value: unknown): unknown => decodeFrame(encodeFrame(value))

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    return error instanceof ModelNetError ? error.code : String(error)
  }
}

function toBytes(weights: readonly number[]): ByteDistribution {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const probabilities = Float64Array.from({ length: 257 }, (_, index) => (weights[index] ?? 0) / sum)
  return { kind: 'bytes', probabilities }
}

/** A softmax over some tokens, of which the best are reported. */
function toTokens(logits: readonly number[], top: number): TokenDistribution {
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
  const logprobs = logits.map(logit => logit - total).sort((a, b) => b - a)
  const candidates = logprobs.slice(0, top).map((logprob, index) => ({
    bytes: new TextEncoder().encode(` tok${index}`),
    logprob,
  }))
  const residual = 1 - candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)
  return { kind: 'tokens', candidates, end: -Infinity, residual }
}

const weights = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 1e-300, max: 1, noNaN: true })), { minLength: 1, maxLength: 257 })
  .filter(list => list.some(weight => weight > 1e-3))
const logits = fc.array(fc.double({ min: -60, max: 30, noNaN: true }), { minLength: 1, maxLength: 2000 })

describe('a byte distribution on the wire', () => {
  it('comes back exactly', () => {
    fc.assert(
      fc.property(weights, list => {
        const distribution = toBytes(list)
        expect(decodeDistribution(carry(encodeDistribution(distribution)))).toStrictEqual(distribution)
      }),
    )
  })

  it('is as short as the bytes that are possible are few', () => {
    const few = encodeDistribution(toBytes([0.5, 0.25, 0.25]))
    expect((few as Uint8Array).length).toBe(33 + 3 * 8)
    expect((encodeDistribution(toBytes(Array(257).fill(1))) as Uint8Array).length).toBe(33 + 257 * 8)
  })

  it.each([
    ['that sums to 0.9', Float64Array.from({ length: 257 }, (_, index) => (index === 0 ? 0.9 : 0))],
    ['with NaN', new Float64Array(257).fill(Number.NaN)],
    ['with a negative probability', Float64Array.from({ length: 257 }, (_, i) => (i === 0 ? 1.5 : i === 1 ? -0.5 : 0))],
    ['of 256 bytes', new Float64Array(256).fill(1 / 256)],
  ])('is not made of one %s', (_name, probabilities) => {
    expect(codeOf(() => encodeDistribution({ kind: 'bytes', probabilities }))).toBe('ENGINE_FAILED')
  })

  it.each([
    ['that is cut off', (wire: Uint8Array) => wire.subarray(0, wire.length - 1)],
    ['that is too long', (wire: Uint8Array) => Uint8Array.from([...wire, 0])],
    ['without a bitmap', (wire: Uint8Array) => wire.subarray(0, 10)],
    ['of nothing', () => new Uint8Array(33)],
    ['with a symbol beyond the end', (wire: Uint8Array) => wire.with(32, 2)],
    ['with a probability of 0', (wire: Uint8Array) => Uint8Array.from(wire).fill(0, 33, 41)],
    ['with a probability beyond 1', (wire: Uint8Array) => wire.with(33, 0x7f)],
  ])('is not read from one %s', (_name, change) => {
    const wire = encodeDistribution(toBytes([1, 1])) as Uint8Array
    expect(codeOf(() => decodeDistribution(change(wire)))).toBe('PROTOCOL_ERROR')
  })
})

describe('a token distribution on the wire', () => {
  it('comes back with the bytes and the nearest float32 log-probabilities', () => {
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: MAX_CANDIDATES }), (list, top) => {
        const distribution = toTokens(list, top)
        const back = decodeDistribution(carry(encodeDistribution(distribution))) as TokenDistribution
        expect(back.end).toBe(-Infinity)
        expect(back.candidates.map(({ bytes }) => bytes)).toEqual(distribution.candidates.map(({ bytes }) => bytes))
        for (const [index, { logprob }] of back.candidates.entries())
          expect(logprob).toBe(Math.min(0, Math.fround(distribution.candidates[index]?.logprob ?? Number.NaN)) + 0) // no -0
      }),
    )
  })

  it('takes at most 200 bytes for the ten best', () => {
    const distribution = toTokens(
      Array.from({ length: 1000 }, (_, index) => Math.sin(index) * 5),
      10,
    )
    expect(encodeFrame(encodeDistribution(distribution)).length).toBeLessThanOrEqual(200)
  })

  const bytes = Uint8Array.of(65)
  it.each([
    [
      'out of order',
      {
        candidates: [
          { bytes, logprob: -2 },
          { bytes, logprob: -0.1 },
        ],
        end: -Infinity,
        residual: 0,
      },
    ],
    ['of an empty token', { candidates: [{ bytes: new Uint8Array(), logprob: 0 }], end: -Infinity, residual: 0 }],
    ['beyond 1', { candidates: [{ bytes, logprob: 0.1 }], end: -Infinity, residual: 0 }],
    ['with NaN', { candidates: [{ bytes, logprob: Number.NaN }], end: -Infinity, residual: 0 }],
    ['that misses mass', { candidates: [{ bytes, logprob: -1 }], end: -Infinity, residual: 0.1 }],
    ['with a negative residual', { candidates: [{ bytes, logprob: 0 }], end: Math.log(0.5), residual: -0.5 }],
  ])('is not made of one %s', (_name, parts) => {
    expect(codeOf(() => encodeDistribution({ kind: 'tokens', ...parts }))).toBe('ENGINE_FAILED')
    const wire = [parts.end, parts.residual, ...parts.candidates.flatMap(({ bytes, logprob }) => [bytes, logprob])]
    expect(codeOf(() => decodeDistribution(wire))).toBe('PROTOCOL_ERROR')
  })

  it.each([
    ['a map', {}],
    ['nothing', null],
    ['an empty list', []],
    ['half a pair', [0, 0, bytes]],
    ['texts', [-Infinity, 0, 'a', 0]],
    [
      'too many candidates',
      [
        -Infinity,
        1,
        ...Array(MAX_CANDIDATES + 1)
          .fill([bytes, -Infinity])
          .flat(),
      ],
    ],
  ])('is not read from %s', (_name, wire) => {
    expect(codeOf(() => decodeDistribution(wire))).toBe('PROTOCOL_ERROR')
  })
})

describe('the result of a decode step on the wire', () => {
  it('comes back', () => {
    const result = { distributions: [toBytes([1, 3])], draft: { bytes: Uint8Array.of(1), end: true } }
    expect(decodeDecodeResult(carry(encodeDecodeResult(result)))).toStrictEqual(result)
    expect(decodeDecodeResult(carry(encodeDecodeResult({})))).toStrictEqual({})
  })

  it.each([
    ['nothing', null],
    ['too many distributions', { distributions: Array(MAX_DISTRIBUTIONS + 1).fill(new Uint8Array()) }],
    ['distributions that are none', { distributions: [1] }],
    ['a draft without an end', { draft: { bytes: new Uint8Array() } }],
    ['a draft of text', { draft: { bytes: 'a', end: false } }],
  ])('is not read from %s', (_name, wire) => {
    expect(codeOf(() => decodeDecodeResult(wire))).toBe('PROTOCOL_ERROR')
  })
})
