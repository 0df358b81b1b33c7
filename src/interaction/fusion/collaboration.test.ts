import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import type { DecodeSession, DistributionKind, LanguageModel } from '../../resource/index.ts'
import { createTokenSession } from '../../resource/index.ts'
import {
  createHashedTokenModel,
  createScriptedCard,
  createScriptedSession,
  type HashedTokenModel,
} from '../../testing/index.ts'
import { createRandom } from '../../utils/random.ts'
import { type Competence, competenceWeights } from './competence.ts'
import { decodeText } from './decode-text.ts'
import { createDeferringSession } from './defer.ts'
import { promptLogprob } from './familiarity.ts'
import { createGatedSession } from './gate.ts'
import type { FusedMember } from './seat.ts'
import { fuseSpans } from './span-fusion.ts'
import { createSpanSession } from './span-session.ts'
import { sampleSpeculatively } from './speculative-sampling.ts'

const BYTES: DistributionKind = { kind: 'bytes' }
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Says `text` with the given confidence at each byte, the rest spread evenly. */
function saying(
  text: string,
  confidence: (at: number) => number = () => 0.99,
): ReturnType<typeof createScriptedSession> {
  const bytes = encode(text)
  return createScriptedSession({
    distribution: BYTES,
    next: ({ length }) => {
      const p = confidence(length)
      const probabilities = new Float64Array(END + 1).fill((1 - p) / END)
      probabilities[bytes[length] ?? END] = p
      return { kind: 'bytes', probabilities }
    },
  })
}

async function textOf(session: DecodeSession): Promise<string> {
  let text = ''
  for await (const part of decodeText(session)) if (part.type === 'text-delta') text += part.text
  await session.close()
  return text
}

describe('disagreement-gated fusion', () => {
  it('asks the others only where the lead is unsure, and they hear the whole text', async () => {
    const lead = saying('12x45', at => (at === 2 ? 0.4 : 0.99))
    const others = saying('12345')
    const gated = createGatedSession(lead, others)
    expect(await textOf(gated)).toBe('12345')
    expect(gated.gate).toEqual({ alone: 5, together: 1 })
    expect(Buffer.from(others.committed).toString()).toBe('12345')
    expect(others.closed).toBe(true)
  })
})

describe('deferral', () => {
  it('lets the strong model write a span where the weak one is unsure', async () => {
    const weak = saying('The capital is Paris, of course.', at => (at === 15 ? 0.3 : 0.95))
    const strong = saying('The capital is Paris, of course.')
    const session = createDeferringSession(weak, strong, { spanBytes: 6 })
    expect(await textOf(session)).toBe('The capital is Paris, of course.')
    expect(session.deferral).toMatchObject({ questions: 1, deferred: 7, own: 26 })
  })

  it('takes the text of the strong model there', async () => {
    const session = createDeferringSession(
      saying('2+2=5', at => (at === 4 ? 0.2 : 0.9)),
      saying('2+2=4'),
    )
    expect(await textOf(session)).toBe('2+2=4')
  })

  it('keeps to the largest share', async () => {
    const session = createDeferringSession(
      saying('aaaaaaaaaa', () => 0.3),
      saying('bbbbbbbbbb'),
      { spanBytes: 1, maxShare: 0.5 },
    )
    await textOf(session)
    expect(session.deferral.deferred).toBeLessThanOrEqual(8)
    expect(session.deferral.deferred).toBeGreaterThan(2)
  })
})

describe('span fusion', () => {
  const written = async (...texts: readonly ReturnType<typeof saying>[]): Promise<string> => {
    let text = ''
    const members = texts.map((session, index) => ({ name: `m${index}`, weight: 1, session }))
    for await (const span of fuseSpans(members, { spanBytes: 12 })) text += Buffer.from(span.text).toString()
    return text
  }

  it('of one member writes what it says', async () => {
    expect(await written(saying('one model writes all of this alone'))).toBe('one model writes all of this alone')
  })

  it('takes the draft that the others find most probable', async () => {
    expect(await written(saying('seven is odd'), saying('seven is odd'), saying('seven is even'))).toBe('seven is odd')
  })

  it('shifts weight to the author whose drafts the others prefer', async () => {
    const members = ['a b c d e f', 'a b c d e f', 'a b x y z w'].map((text, index) => ({
      name: `m${index}`,
      weight: 1,
      session: saying(text),
    }))
    let weights: readonly number[] = []
    for await (const span of fuseSpans(members, { spanBytes: 4 })) weights = span.weights
    expect(weights[0]).toBeGreaterThan(weights[2] ?? 1)
  })
})

it('spans are judged alike by judges without any weight', async () => {
  const members = [
    { name: 'heard', weight: 1, session: saying('one text') },
    { name: 'unheard', weight: 0, session: saying('one text') },
  ]
  let text = ''
  for await (const span of fuseSpans(members, { spanBytes: 4 })) text += Buffer.from(span.text).toString()
  expect(text).toBe('one text')
})

describe('span fusion as a decode session', () => {
  const members = (): FusedMember[] =>
    ['a b c d e f', 'a b c d e f', 'a b x y z w'].map((text, index) => ({
      name: `m${index}`,
      weight: 1,
      session: saying(text),
    }))

  it('writes what span fusion writes, and tells who wrote how much', async () => {
    let expected = ''
    for await (const span of fuseSpans(members(), { spanBytes: 4 })) expected += Buffer.from(span.text).toString()
    const session = createSpanSession(members(), { spanBytes: 4 })
    let text = ''
    for await (const part of decodeText(session)) if (part.type === 'text-delta') text += part.text
    expect(text).toBe(expected)
    expect([...session.authored.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(text.length)
    expect(session.authored.get('m2')).toBe(0)
  })

  it('goes on where the text takes a turn that nobody drafted, and closes its members', async () => {
    const three = members()
    const session = createSpanSession(three, { spanBytes: 4 })
    await session.next()
    const { distributions } = await session.step({ commit: new TextEncoder().encode('?'), next: true })
    expect(distributions?.[0]?.kind).toBe('bytes')
    await session.close()
    await expect(three[0]?.session.next()).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('speculative sampling across tokenizers', () => {
  const drafterOf = (): HashedTokenModel =>
    createHashedTokenModel({ tokens: ['a', 'b', 'ab', 'ba'], seed: 4, sharpness: 2, noise: 3 })
  const targetOf = (): HashedTokenModel =>
    createHashedTokenModel({ tokens: ['a', 'b', 'aab', 'bb', 'aba'], seed: 4, sharpness: 2, noise: 1 })
  const open = (model: HashedTokenModel): Promise<DecodeSession> => createTokenSession(model, model.prompt('ab'), BYTES)

  it('draws texts with the law of the target alone', async () => {
    const target = await open(targetOf())
    const expected = new Map<string, number>()
    // The law of the first three bytes, exactly.
    const visit = async (text: string, mass: number): Promise<void> => {
      if (text.length === 3) return void expected.set(text, mass)
      const [law] = await target.peek(encode(text), [text.length])
      if (law?.kind !== 'bytes') throw new Error('expected bytes')
      expected.set(`${text}.`, mass * (law.probabilities[END] ?? 0))
      for (const letter of 'ab') await visit(text + letter, mass * (law.probabilities[letter.charCodeAt(0)] ?? 0))
    }
    await visit('', 1)
    const runs = 3000
    const seen = new Map<string, number>()
    const random = createRandom(9)
    const models = { drafter: drafterOf(), target: targetOf() }
    for (let run = 0; run < runs; run++) {
      const [drafter, own] = await Promise.all([open(models.drafter), open(models.target)])
      let text = ''
      for await (const bytes of sampleSpeculatively(drafter, own, { random, draftBytes: 2, maxBytes: 3 }))
        text += Buffer.from(bytes).toString()
      const key = text.length < 3 ? `${text}.` : text
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    // Pearson's statistic over 15 outcomes: 36.1 is the 0.999 quantile at 14 degrees of freedom.
    let statistic = 0
    for (const [text, mass] of expected) statistic += ((seen.get(text) ?? 0) - runs * mass) ** 2 / (runs * mass)
    expect(expected.size).toBe(15)
    expect(statistic).toBeLessThan(36.1)
  })
})

describe('competence before fusion', () => {
  const known = (mean: number, evidence = 200): Competence => ({
    ability: { mean, deviation: Math.sqrt((mean * (1 - mean)) / (evidence + 2)), evidence },
  })
  const unknown: Competence = { ability: { mean: 0.5, deviation: 0.29, evidence: 0 } }

  it('leaves out who cannot do the task and who has no evidence', () => {
    expect(competenceWeights([known(0.85), known(0.04)])).toEqual([1, 0])
    expect(competenceWeights([known(0.85), unknown])).toEqual([1, 0])
  })

  it('weighs comparable members by their log-odds', () => {
    const [weak = 0, strong = 0] = competenceWeights([known(0.91), known(0.99)])
    expect(strong / weak).toBeCloseTo(Math.log(99) / Math.log(0.91 / 0.09), 6)
  })

  it('gives all an equal voice where nobody has evidence', () => {
    expect(competenceWeights([unknown, unknown, unknown])).toEqual([1 / 3, 1 / 3, 1 / 3])
  })

  it('leaves out who finds the prompt strange', () => {
    expect(
      competenceWeights([
        { ...unknown, promptLogprob: -0.6 },
        { ...unknown, promptLogprob: -3 },
      ]),
    ).toEqual([1, 0])
  })

  it('asks a model how familiar it finds the end of the question, and does without where it cannot say', async () => {
    const asked: string[] = []
    const model = (score: LanguageModel['score']): LanguageModel => ({
      card: createScriptedCard(),
      generate: () => {
        throw new Error('not asked')
      },
      ...(score && { score }),
    })
    const messages = [
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'answer' },
      { role: 'user', content: `${'x'.repeat(2000)}?` },
    ] as const
    const scoring = model(async ({ text }) => {
      asked.push(text)
      return { logprob: -500, tokens: 10, bytes: text.length }
    })
    expect(await promptLogprob(scoring, messages)).toBe(-0.5)
    expect(asked).toEqual([`${'x'.repeat(999)}?`])
    expect(await promptLogprob(model(undefined), messages)).toBeUndefined()
    expect(
      await promptLogprob(
        model(() => Promise.reject(new Error('broken'))),
        messages,
      ),
    ).toBeUndefined()
    const aborted = model(() => Promise.reject(new Error('stopped')))
    await expect(promptLogprob(aborted, messages, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('always gives weights that sum to 1 and keep the best', () => {
    const members = fc.array(
      fc.record({ mean: fc.double({ min: 0, max: 1, noNaN: true }), evidence: fc.integer({ min: 0, max: 500 }) }),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(members, list => {
        const weights = competenceWeights(list.map(({ mean, evidence }) => known(mean, evidence)))
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9)
        const heard = list.some(({ evidence }) => evidence >= 1)
        const best = Math.max(...list.filter(({ evidence }) => !heard || evidence >= 1).map(({ mean }) => mean))
        for (const [index, { mean, evidence }] of list.entries())
          if (mean === best && (!heard || evidence >= 1)) expect(weights[index]).toBeGreaterThan(0)
      }),
    )
  })
})
