import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TokenDistribution } from '../../protocol/index.ts'
import { createHashedTokenModel } from '../../testing/index.ts'
import type { Distribution } from '../index.ts'
import { createTokenSession } from './token-session.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const TOKENS = ['a', 'b', 'c', ' ', 'ab', 'abc', ' ca', 'bb', 'é']
const kind = { kind: 'tokens', top: 4 } as const

const candidatesOf = (distribution: Distribution): TokenDistribution => {
  if (distribution.kind !== 'tokens') throw new Error('expected candidates')
  return distribution
}

describe('a session of token candidates', () => {
  it('reports the best tokens as bytes, the end and the mass of the rest', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 1 })
    const session = await createTokenSession(model, model.prompt('ab'), kind)
    const { candidates, end, residual } = candidatesOf(await session.next())
    const logprobs = model.logprobs(model.prompt('ab'))
    const best = Array.from(TOKENS.keys()).sort((a, b) => (logprobs[b] ?? 0) - (logprobs[a] ?? 0))
    expect(candidates.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(best.slice(0, 4).map(id => TOKENS[id]))
    expect(end).toBeCloseTo(logprobs[TOKENS.length] ?? 0, 12)
    const mass = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), Math.exp(end))
    expect(mass + residual).toBeCloseTo(1, 12)
  })

  it('stands in the same context however the text came, and tokenises it as the model would', async () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é'), maxLength: 120 })
    await fc.assert(
      fc.asyncProperty(texts, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), async (text, sizes) => {
        const model = createHashedTokenModel({ tokens: [...TOKENS, '\u00c3'], seed: 2 })
        const bytes = encode(text)
        const whole = await createTokenSession(model, model.prompt('ab'), kind)
        const pieces = await createTokenSession(model, model.prompt('ab'), kind)
        for (let at = 0; at < bytes.length; ) {
          let size = sizes.next().value ?? 1
          while (at + size < bytes.length && ((bytes[at + size] ?? 0) & 0xc0) === 0x80) size++
          await pieces.step({ commit: bytes.subarray(at, at + size), next: true })
          at += size
        }
        await whole.commit(bytes)
        expect(await pieces.next()).toEqual(await whole.next())
      }),
      { numRuns: 100 },
    )
  })

  it('looks ahead exactly as far as committing would go', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 3 })
    const text = encode('abc ca abbb')
    const looking = await createTokenSession(model, model.prompt('c'), kind)
    const ahead = await looking.peek(text)
    for (const [at, distribution] of ahead.entries()) {
      const committing = await createTokenSession(model, model.prompt('c'), kind)
      await committing.commit(text.subarray(0, at))
      expect(distribution).toEqual(await committing.next())
    }
  })

  it('evaluates only tokens that changed', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 3 })
    const prompt = model.prompt('abc'.repeat(100))
    const session = await createTokenSession(model, prompt, kind)
    await session.next()
    const before = model.evaluated
    for (const piece of ['ab', 'c', ' ca', 'b', 'b']) await session.step({ commit: encode(piece), next: true })
    expect(before).toBe(prompt.length)
    expect(model.evaluated - before).toBeLessThanOrEqual(6)
  })

  it('drafts its own greedy tokens and says where they end', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 6, sharpness: 8, end: -9 })
    const session = await createTokenSession(model, model.prompt('ab'), kind)
    const { bytes, ends = [] } = await session.draft(9)
    expect(bytes.length).toBeGreaterThan(4)
    expect(ends.at(-1)).toBe(bytes.length)
    const ahead = (await session.peek(bytes, [0, ...ends.slice(0, -1)])).map(candidatesOf)
    for (const [index, { candidates }] of ahead.entries())
      expect(
        Buffer.compare(bytes.subarray(ends[index - 1] ?? 0, ends[index]), candidates[0]?.bytes ?? encode('')),
      ).toBe(0)
  })
})
