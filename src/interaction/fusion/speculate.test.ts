import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenSession, type DecodeSession, type DistributionKind } from '../../resource/index.ts'
import { createHashedTokenModel } from '../../testing/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { type DecodeTextOptions, decodeText } from './decode-text.ts'
import { DraftLength } from './draft-length.ts'
import { createFusedSession, type FusedSession, type FusionOptions } from './fused-session.ts'
import { createSpeculativeSession } from './speculate.ts'

const LETTERS = ['a', 'b', 'c', 'd', ' ', 'é']
const PIECES = ['ab', 'abc', ' ca', 'bb', 'cab ', 'da', ' d', 'aé', 'bcd', 'a d']

interface Case {
  readonly seed: number
  readonly sharpness: number
  readonly noise: number
  readonly members: number
  readonly kind: DistributionKind
  readonly options: FusionOptions
  readonly decoding: DecodeTextOptions
}

async function fusionOf(
  { seed, sharpness, noise, members, kind, options }: Case,
  contextLengths: readonly number[] = [],
): Promise<FusedSession> {
  const all = Array.from({ length: members }, async (_, index) => {
    const tokens = [...LETTERS, ...PIECES.filter((_, at) => (at + seed) % (index + 2) !== 0)]
    const contextLength = contextLengths[index] ?? 4096
    const end = contextLengths.length > 0 ? -9 : -1
    const model = createHashedTokenModel({ tokens, seed, sharpness, noise, end, contextLength })
    return {
      name: `m${index}`,
      weight: index + 1,
      session: await createTokenSession(model, model.prompt('cab'), kind),
    }
  })
  return createFusedSession(await Promise.all(all), options)
}

async function textOf(session: DecodeSession, options: DecodeTextOptions): Promise<string> {
  let text = ''
  for await (const part of decodeText(session, options)) if (part.type === 'text-delta') text += part.text
  await session.close()
  return text
}

const cases: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat(1000),
  sharpness: fc.double({ min: 2, max: 12, noNaN: true }),
  noise: fc.double({ min: 0, max: 6, noNaN: true }),
  members: fc.integer({ min: 1, max: 4 }),
  kind: fc.constantFrom<DistributionKind>({ kind: 'bytes' }, { kind: 'tokens', top: 5 }),
  options: fc.record({
    rule: fc.constantFrom('mean', 'product', 'robust', 'duet', 'max' as const),
    learn: fc.constantFrom(false as const, { rate: 0.3 }, { rate: 1 }),
  }),
  decoding: fc.record({
    maxTokens: fc.integer({ min: 1, max: 9 }),
    temperature: fc.constantFrom(0, 0.7, 1),
    topT: fc.constantFrom(1, 3, 100),
    seed: fc.nat(),
  }),
})

describe('a speculative ensemble', () => {
  it('writes the same text as step by step in each of 200 random cases', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async one => {
        const plain = await textOf(await fusionOf(one), one.decoding)
        const speculative = createSpeculativeSession(await fusionOf(one))
        expect(await textOf(speculative, one.decoding)).toBe(plain)
      }),
      { numRuns: 200 },
    )
  })

  it('writes the same text when the contexts of its members end one after another', async () => {
    const kinds = fc.constantFrom<DistributionKind>({ kind: 'bytes' }, { kind: 'tokens', top: 5 })
    const lengths = fc.array(fc.integer({ min: 5, max: 40 }), { minLength: 2, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), kinds, lengths, async (seed, kind, contextLengths) => {
        const decoding = { maxTokens: 24 }
        const one = { seed, sharpness: 9, noise: 2, members: contextLengths.length, kind, options: {}, decoding }
        const plain = await textOf(await fusionOf(one, contextLengths), decoding)
        expect(await textOf(createSpeculativeSession(await fusionOf(one, contextLengths)), decoding)).toBe(plain)
      }),
      { numRuns: 100 },
    )
  })

  it('learns the same weights as step by step', async () => {
    const one: Case = {
      seed: 3,
      sharpness: 8,
      noise: 2,
      members: 3,
      kind: { kind: 'bytes' },
      options: {},
      decoding: { maxTokens: 8 },
    }
    const plain = await fusionOf(one)
    const inner = await fusionOf(one)
    await textOf(plain, one.decoding)
    await textOf(createSpeculativeSession(inner), one.decoding)
    const weights = ({ metrics }: FusedSession): readonly number[] =>
      metrics.members.map(member => member.learnedWeight)
    for (const [index, weight] of weights(plain).entries()) expect(weights(inner)[index]).toBeCloseTo(weight, 9)
    expect(inner.metrics.members.map(({ agreed }) => agreed)).toEqual(plain.metrics.members.map(({ agreed }) => agreed))
  })

  it('needs a fifth of the round trips and less where members mostly agree', async () => {
    const one: Case = {
      seed: 5,
      sharpness: 12,
      noise: 1,
      members: 3,
      kind: { kind: 'bytes' },
      options: {},
      decoding: { maxTokens: 20 },
    }
    const plain = await fusionOf(one)
    const inner = await fusionOf(one)
    const text = await textOf(plain, one.decoding)
    let time = 0
    const farAway = { ...systemClock, monotonic: () => (time += 50) } // every round trip takes 50 ms, on any machine
    await textOf(createSpeculativeSession(inner, { clock: farAway }), one.decoding)
    expect(text.length).toBeGreaterThan(40)
    expect(inner.metrics.steps + inner.metrics.drafts).toBeLessThanOrEqual(plain.metrics.steps / 5)
  })
})

describe('the length of a draft', () => {
  const lengthAfter = (rounds: number, round: (drafted: number) => { followed: number; ms: number }): DraftLength => {
    const length = new DraftLength()
    for (let count = 0; count < rounds; count++) {
      const drafted = length.next()
      const { followed, ms } = round(drafted)
      length.observe({ drafted, followed, left: followed < drafted, ms })
    }
    return length
  }

  it('grows to the most where all is accepted and a round trip is dear', () => {
    expect(lengthAfter(12, drafted => ({ followed: drafted, ms: 50 + drafted * 0.1 })).next()).toBe(64)
  })

  it('shrinks to one byte where nothing is accepted and bytes cost', () => {
    expect(lengthAfter(12, drafted => ({ followed: 0, ms: 1 + drafted })).next()).toBe(1)
  })

  it('is none for a while where asking without a draft is quicker, and is tried again then', () => {
    const length = lengthAfter(8, () => ({ followed: 0, ms: 100 }))
    length.observePlain(50)
    const next = Array.from({ length: 5 }, () => length.next())
    expect(next.slice(0, 4)).toEqual([0, 0, 0, 0])
    expect(next[4]).toBeGreaterThan(0)
  })

  it('doubles at least when all of a draft became text, whatever was before', () => {
    const length = lengthAfter(12, drafted => ({ followed: 0, ms: 1 + drafted }))
    const lengths: number[] = []
    for (let round = 0; round < 5; round++) {
      const drafted = length.next()
      lengths.push(drafted)
      length.observe({ drafted, followed: drafted, left: false, ms: 1 + drafted })
    }
    for (const [round, drafted] of lengths.entries())
      if (round > 0) expect(drafted).toBeGreaterThanOrEqual(2 * (lengths[round - 1] ?? 0))
  })

  it('is longer for dear round trips than for cheap ones at the same acceptance', () => {
    const accept = (drafted: number): number => Math.min(drafted, 4)
    const far = lengthAfter(30, drafted => ({ followed: accept(drafted), ms: 100 + drafted })).next()
    const near = lengthAfter(30, drafted => ({ followed: accept(drafted), ms: 0.5 + drafted })).next()
    expect(far).toBeGreaterThan(near)
  })
})
