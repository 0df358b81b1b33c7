import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TokenDistribution } from '../../protocol/index.ts'
import { createHashedTokenModel, type HashedTokenModel } from '../../testing/index.ts'
import type { DecodeSession, DecodeStep } from '../index.ts'
import { ContinuedSession, type ContinueText } from './continued-session.ts'
import { createTokenSession } from './token-session.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
/** One way to spell every text, so that a context does not depend on how it came about. */
const TOKENS = ['a', 'b', 'c', ' ', 'é']
const top = 3

/** A server that can only continue text, as one over HTTP. */
function serve(model: HashedTokenModel): { readonly asked: [string, number][]; readonly go: ContinueText } {
  const asked: [string, number][] = []
  return {
    asked,
    async go(text, tokens) {
      asked.push([text, tokens])
      const session = await createTokenSession(model, model.prompt(`ab${text}`), { kind: 'tokens', top: 5 })
      const steps: Awaited<ReturnType<ContinueText>>['steps'][number][] = []
      while (steps.length < tokens) {
        const distribution = await session.next()
        if (distribution.kind !== 'tokens') throw new Error('expected candidates')
        const [best] = distribution.candidates
        const chosen = best && best.logprob > distribution.end ? best.bytes : new Uint8Array()
        steps.push({ distribution, chosen })
        if (chosen.length === 0) break
        await session.commit(chosen)
      }
      return { steps, ended: false }
    },
  }
}

const only = (distribution: Partial<TokenDistribution>, chosen = ''): ContinueText => {
  const whole: TokenDistribution = { kind: 'tokens', candidates: [], end: -Infinity, residual: 0, ...distribution }
  return async () => ({ steps: [{ distribution: whole, chosen: encode(chosen) }], ended: false })
}
const candidate = (bytes: readonly number[], probability: number) => ({
  bytes: Uint8Array.from(bytes),
  logprob: Math.log(probability),
})

describe('a decode session over a server that can only continue text', () => {
  it('says at every step what a session with access to the tokens says', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é'), maxLength: 6 })
    const step = fc.record(
      { commit: text, next: fc.constant(true as const), peek: text, draft: fc.integer({ min: 1, max: 9 }) },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.integer({ min: 0, max: 99 }), async (steps, seed) => {
        const model = createHashedTokenModel({ tokens: TOKENS, seed })
        const exact = await createTokenSession(model, model.prompt('ab'), { kind: 'tokens', top })
        const session = new ContinuedSession(serve(model).go, top)
        for (const { commit, peek, ...rest } of steps) {
          const asked: DecodeStep = {
            ...rest,
            ...(commit !== undefined && { commit: encode(commit) }),
            ...(peek !== undefined && {
              peek: encode(peek),
              at: [...peek].map((_, at) => encode(peek.slice(0, at)).length),
            }),
          }
          const [said, expected] = [await session.step(asked), await exact.step(asked)]
          expect(said.draft).toEqual(expected.draft)
          expect(said.distributions?.length).toBe(expected.distributions?.length)
          for (const [at, distribution] of (said.distributions ?? []).entries())
            expectSame(distribution, expected.distributions?.[at])
        }
      }),
      { numRuns: 100 },
    )
  })

  it('asks the server ever less often as long as the text follows what it would say', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 3, end: -99 })
    const { go, asked } = serve(model)
    const session = new ContinuedSession(go, top)
    let next = await session.next()
    for (let written = 0; written < 60; written++) {
      if (next.kind !== 'tokens') throw new Error('expected candidates')
      const { distributions } = await session.step({ commit: next.candidates[0]?.bytes ?? encode(''), next: true })
      next = distributions?.[0] ?? next
    }
    expect(asked.map(([, tokens]) => tokens)).toEqual([4, 8, 16, 32, 32])
  })

  it('asks for less when the text goes its own way', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 3, end: -99 })
    const { go, asked } = serve(model)
    const session = new ContinuedSession(go, top)
    await session.next()
    for (let step = 0; step < 4; step++) await writeSecondChoice(session)
    expect(asked.map(([, tokens]) => tokens)).toEqual([4, 2, 1, 1, 1])
  })

  it('looks at a proposal that the server would write itself in one request', async () => {
    const model = createHashedTokenModel({ tokens: TOKENS, seed: 5, end: -99 })
    const { go, asked } = serve(model)
    const { bytes, ends = [] } = await new ContinuedSession(go, top).draft(12)
    expect(ends.length).toBeGreaterThan(6)
    asked.length = 0
    await new ContinuedSession(go, top).peek(bytes, [0, ...ends])
    expect(asked).toEqual([['', ends.length + 1]])
  })

  it('answers half a character from the candidates that begin with it, and states what it cannot know', async () => {
    const candidates = [candidate([0xe4, 0xbd, 0xa0], 0.5), candidate([0xe4], 0.2), candidate([0x61], 0.2)]
    const session = new ContinuedSession(only({ candidates, residual: 0.1 }, 'a'), top)
    const { distributions } = await session.step({ commit: Uint8Array.of(0xe4), next: true })
    const [distribution] = distributions ?? []
    if (distribution?.kind !== 'tokens') throw new Error('expected candidates')
    expect(distribution.candidates.map(({ bytes }) => [...bytes])).toEqual([[0xbd, 0xa0]])
    // 0.5 of the 0.8 that begins with the byte or may; the others are not known further.
    expect(Math.exp(distribution.candidates[0]?.logprob ?? 0)).toBeCloseTo(0.625, 12)
    expect(distribution.residual).toBeCloseTo(0.375, 12)
    expect(distribution.end).toBe(Number.NEGATIVE_INFINITY)
  })

  it('takes an end that was not reported for as likely as not', async () => {
    const session = new ContinuedSession(async () => ({ steps: [], ended: true }), top)
    expect(await session.next()).toEqual({ kind: 'tokens', candidates: [], end: Math.log(0.5), residual: 0.5 })
    expect(await session.draft(5)).toEqual({ bytes: new Uint8Array(), end: true, ends: [] })
  })
})

async function writeSecondChoice(session: DecodeSession): Promise<void> {
  const next = await session.next()
  if (next.kind !== 'tokens') throw new Error('expected candidates')
  await session.step({ commit: next.candidates[1]?.bytes ?? encode('a'), next: true })
}

function expectSame(one: unknown, other: unknown): void {
  // Sums of what is beyond the best may differ in the last bit.
  expect(rounded(one)).toEqual(rounded(other))
}

const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part) =>
      part instanceof Uint8Array ? [...part] : typeof part === 'number' ? Number(part.toFixed(9)) + 0 : part,
    ),
  )
