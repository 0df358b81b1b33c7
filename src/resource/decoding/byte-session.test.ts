import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import { createHashedTokenModel, type HashedTokenModel } from '../../testing/index.ts'
import type { Distribution } from '../index.ts'
import { ByteSession } from './byte-session.ts'
import { concatBytes } from './stepped-session.ts'
import { createTokenSession } from './token-session.ts'

const EXACT = { width: Number.POSITIVE_INFINITY, tolerance: 0 }
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Every way to spell the text and more: the mass of all token paths that begin with text and byte, or end after text. */
function bruteForce(model: HashedTokenModel, prompt: readonly number[], text: Uint8Array): Float64Array {
  const out = new Float64Array(END + 1)
  const visit = (context: readonly number[], at: number, probability: number): void => {
    const logprobs = model.logprobs(context)
    for (const [id, bytes] of model.vocabulary.entries()) {
      const p = probability * Math.exp(logprobs[id] ?? 0)
      if (!bytes) {
        if (at === text.length) out[END] = (out[END] ?? 0) + p
        continue
      }
      const left = text.subarray(at)
      const common = Math.min(left.length, bytes.length)
      if (Buffer.compare(left.subarray(0, common), bytes.subarray(0, common)) !== 0) continue
      const next = bytes[left.length]
      if (next !== undefined) out[next] = (out[next] ?? 0) + p
      else visit([...context, id], at + bytes.length, p)
    }
  }
  visit(prompt, 0, 1)
  const total = out.reduce((sum, value) => sum + value, 0)
  return out.map(value => value / total)
}

const probabilitiesOf = (distribution: Distribution): Float64Array => {
  if (distribution.kind !== 'bytes') throw new Error('expected bytes')
  return distribution.probabilities
}

const vocabularies = fc
  .uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 4 }), { maxLength: 12 })
  .map(tokens => ['a', 'b', 'c', ...tokens])

const cases = fc.record({
  tokens: vocabularies,
  seed: fc.nat(),
  sharpness: fc.double({ min: 0, max: 12, noNaN: true }),
  text: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 }),
})

const open = async (model: HashedTokenModel, options = {}): Promise<ByteSession> => {
  const session = await createTokenSession(model, model.prompt('ab'), { kind: 'bytes' }, options)
  if (!(session instanceof ByteSession)) throw new Error('expected a byte session')
  return session
}

describe('the exact next-byte distribution', () => {
  it('equals brute force over all tokenisations within 1e-9', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ text, ...options }) => {
        const model = createHashedTokenModel(options)
        const session = await open(model, EXACT)
        await session.commit(encode(text))
        const exact = bruteForce(model, model.prompt('ab'), encode(text))
        const got = probabilitiesOf(await session.next())
        for (const [symbol, p] of exact.entries())
          expect(Math.abs((got[symbol] ?? 0) - p), `symbol ${symbol}`).toBeLessThanOrEqual(1e-9 * p)
      }),
      { numRuns: 200 },
    )
  })

  it('is the same whether the text was proposed, drafted or committed in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.infiniteStream(fc.integer({ min: 1, max: 3 })),
        async ({ text, ...options }, sizes) => {
          const model = createHashedTokenModel(options)
          const bytes = encode(text)
          const whole = await open(model)
          const peeked = (await whole.peek(bytes)).map(probabilitiesOf)
          await whole.draft(4)
          await whole.commit(bytes)
          const pieces = await open(model)
          for (let at = 0; at < bytes.length; ) {
            expect(probabilitiesOf(await pieces.next())).toEqual(peeked[at])
            const size = sizes.next().value ?? 1
            await pieces.commit(bytes.subarray(at, at + size))
            at += size
          }
          expect(probabilitiesOf(await pieces.next())).toEqual(peeked[bytes.length])
          expect(probabilitiesOf(await whole.next())).toEqual(peeked[bytes.length])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('stays near brute force with eight readings and a tolerance of a thousandth', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c', 'ab', 'abc', 'ca', 'bb', 'cab'], seed: 7 })
    const session = await open(model)
    const text = 'abcabbcab'
    await session.commit(encode(text))
    const exact = bruteForce(model, model.prompt('ab'), encode(text))
    const got = probabilitiesOf(await session.next())
    const distance = exact.reduce((sum, p, symbol) => sum + Math.abs(p - (got[symbol] ?? 0)), 0) / 2
    expect(distance).toBeLessThan(0.02)
  })

  it('costs no more late in a text of which many readings are as likely', async () => {
    // no token is more likely than another, so readings that parted at the start stay as good
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c', 'ab', 'bc', 'ca', 'abc'], seed: 3, sharpness: 0 })
    const session = await open(model)
    const tokensOf = async (bytes: number): Promise<number> => {
      const before = session.counts.tokens
      for (let at = 0; at < bytes; at += 3) await session.commit(encode('abc'))
      await session.next()
      return session.counts.tokens - before
    }
    await tokensOf(90)
    const early = await tokensOf(90)
    await tokensOf(300)
    expect(await tokensOf(90)).toBeLessThan(1.5 * early)
  })

  it('begins anew after a byte that the model cannot read, and counts it', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'ab'], seed: 3 })
    const session = await open(model)
    await session.commit(encode('aéb'))
    expect(session.counts.healed).toBe(2)
    const got = probabilitiesOf(await session.next())
    expect(got.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
  })

  it('gives a character in two halves its probability and goes on', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'é', 'è', 'aé'], seed: 5 })
    const session = await open(model, EXACT)
    const [first = 0, second = 0] = encode('é')
    await session.commit(Uint8Array.of(first))
    const got = probabilitiesOf(await session.next())
    expect((got[second] ?? 0) + (got[encode('è')[1] ?? 0] ?? 0)).toBeCloseTo(1, 12)
  })
})

describe('a byte session', () => {
  it('drafts what taking the best byte each time gives', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c', 'ab', 'ca'], seed: 11, sharpness: 9 })
    const drafting = await open(model)
    const { bytes } = await drafting.draft(12)
    const stepping = await open(model)
    let text: Uint8Array = new Uint8Array()
    while (text.length < bytes.length) {
      const probabilities = probabilitiesOf(await stepping.next())
      const best = probabilities.indexOf(Math.max(...probabilities))
      await stepping.commit(Uint8Array.of(best))
      text = concatBytes(text, Uint8Array.of(best))
    }
    expect(Buffer.from(bytes).toString()).toBe(Buffer.from(text).toString())
  })

  it('evaluates the prompt once, and nothing for a draft that is committed', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c', 'ab', 'ca'], seed: 11, sharpness: 9 })
    const prompt = model.prompt('abcab'.repeat(40))
    const session = await createTokenSession(model, prompt, { kind: 'bytes' })
    const { bytes } = await session.draft(10)
    const before = model.evaluated
    expect(before).toBeLessThan(prompt.length + 40)
    await session.step({ commit: bytes.subarray(0, 9), next: true })
    expect(model.evaluated).toBe(before)
  })

  it.each([{ kind: 'bytes' } as const, { kind: 'tokens', top: 3 } as const])(
    'drafts as far as the context goes, and can tell what follows the draft (%o)',
    async kind => {
      const model = createHashedTokenModel({
        tokens: ['a', 'b', 'c'],
        seed: 11,
        sharpness: 9,
        end: -99,
        contextLength: 20,
      })
      const session = await createTokenSession(model, model.prompt('abcab'.repeat(2)), kind)
      const { bytes, end } = await session.draft(64)
      expect([bytes.length, end]).toEqual([10, false])
      expect(await session.peek(bytes)).toHaveLength(11)
      await session.commit(bytes)
      await expect(session.step({ commit: encode('a'), next: true })).rejects.toMatchObject({
        code: 'CONTEXT_OVERFLOW',
      })
    },
  )

  it.each([{ kind: 'bytes' } as const, { kind: 'tokens', top: 3 } as const])(
    'looks ahead as far as the context goes, and stands where it stood (%o)',
    async kind => {
      const options = { tokens: ['a', 'b', 'c'], seed: 11, sharpness: 9, end: -99 }
      const open = async (contextLength: number) => {
        const model = createHashedTokenModel({ ...options, contextLength })
        return createTokenSession(model, model.prompt('abcab'.repeat(2)), kind)
      }
      const [short, long] = [await open(14), await open(99)]
      const { distributions = [] } = await short.step({ commit: encode('a'), peek: encode('bcabca') })
      expect(distributions).toEqual(
        (await long.step({ commit: encode('a'), peek: encode('bcabca') })).distributions?.slice(0, 4),
      )
      await expect(short.peek(encode('bcabca'))).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' })
      expect(await short.next()).toEqual(await long.next())
    },
  )

  it('refuses offsets outside of the proposal and steps after closing', async () => {
    const session = await open(createHashedTokenModel({ tokens: ['a', 'b'] }))
    await expect(session.step({ peek: encode('ab'), at: [3] })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await session.close()
    await session.close()
    await expect(session.next()).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})
