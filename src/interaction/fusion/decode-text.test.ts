import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import { createScriptedSession, type ScriptedSession } from '../../testing/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type DecodeTextOptions, type DecodeTextPart, decodeText } from './decode-text.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const sayingBytes = (bytes: Uint8Array): ScriptedSession =>
  createScriptedSession({
    distribution: { kind: 'bytes' },
    next: ({ length }) => {
      const probabilities = new Float64Array(END + 1).fill(0.1 / END)
      probabilities[bytes[length] ?? END] = 0.9
      return { kind: 'bytes', probabilities }
    },
  })

/** Says the pieces as its tokens. */
function sayingTokens(pieces: readonly Uint8Array[]): ScriptedSession {
  const starts = new Map<number, Uint8Array>()
  let at = 0
  for (const piece of pieces) {
    starts.set(at, piece)
    at += piece.length
  }
  return createScriptedSession({
    distribution: { kind: 'tokens', top: 2 },
    next: ({ length }) => {
      const piece = starts.get(length)
      const candidates = piece ? [{ bytes: piece, logprob: Math.log(0.8) }] : []
      return { kind: 'tokens', candidates, end: Math.log(piece ? 0.1 : 0.9), residual: 0.1 }
    },
  })
}

async function partsOf(session: ScriptedSession, options: DecodeTextOptions = {}): Promise<DecodeTextPart[]> {
  const parts: DecodeTextPart[] = []
  for await (const part of decodeText(session, options)) parts.push(part)
  return parts
}

const textOf = (parts: readonly DecodeTextPart[]): string =>
  parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')

describe('decoding a text', () => {
  it('never breaks a character, however its bytes are cut into tokens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 3 })),
        async (text, sizes) => {
          const bytes = encode(text)
          const pieces: Uint8Array[] = []
          for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 1)
            pieces.push(bytes.subarray(at, at + (sizes[pieces.length] ?? 2)))
          const parts = await partsOf(sayingTokens(pieces))
          expect(textOf(parts)).toBe(text)
          for (const part of parts) if (part.type === 'text-delta') expect(part.text).not.toContain('\ufffd')
        },
      ),
      { numRuns: 60 },
    )
  })

  it('does not choose what would break a character, nor the end in the middle of one', async () => {
    const parts = await partsOf(sayingBytes(Uint8Array.of(0x61, 0xff, 0xc3, 0x28)), { maxBytes: 4 })
    expect(Buffer.from(textOf(parts)).toString()).not.toContain('\ufffd')
    expect(textOf(parts).startsWith('a')).toBe(true)
  })

  it('drops half a character where the text is cut', async () => {
    const parts = await partsOf(sayingBytes(encode('né')), { maxBytes: 2 })
    expect(textOf(parts)).toBe('n')
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'length', metrics: { bytes: 2 } })
  })

  it('ends before a stop text, and holds back only what may begin one', async () => {
    const parts = await partsOf(sayingBytes(encode('answer 42\n\nQuestion')), { stop: ['\n\n', 'xyz'] })
    expect(textOf(parts)).toBe('answer 42')
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
    expect(textOf(await partsOf(sayingBytes(encode('a\nb')), { stop: ['\n\n'] }))).toBe('a\nb')
  })

  it('commits and asks in one step', async () => {
    const session = sayingBytes(encode('abc'))
    const parts = await partsOf(session)
    expect(session.steps).toHaveLength(4)
    expect(parts.at(-1)).toMatchObject({ reason: 'stop', metrics: { bytes: 3, symbols: 4 } })
  })

  it('replays by seed and draws a fresh number at each step (W06)', async () => {
    const even = (): ScriptedSession =>
      createScriptedSession({
        distribution: { kind: 'bytes' },
        next: () => ({
          kind: 'bytes',
          probabilities: Float64Array.from({ length: END + 1 }, (_, at) => (at === 97 || at === 98 ? 0.5 : 0)),
        }),
      })
    const draw = async (seed: number): Promise<string> =>
      textOf(await partsOf(even(), { temperature: 1, seed, maxBytes: 64 }))
    expect(await draw(1)).toBe(await draw(1))
    expect(await draw(1)).not.toBe(await draw(2))
    expect(new Set((await draw(3)).match(/.{4}/g)).size).toBeGreaterThan(5)
  })

  it('draws among the best T only', async () => {
    const session = createScriptedSession({
      distribution: { kind: 'bytes' },
      next: () => ({
        kind: 'bytes',
        probabilities: Float64Array.from({ length: END + 1 }, (_, at) => ({ 97: 0.4, 98: 0.35, 99: 0.25 })[at] ?? 0),
      }),
    })
    expect(new Set(textOf(await partsOf(session, { temperature: 1, topT: 2, maxBytes: 200 })))).toEqual(new Set('ab'))
  })

  it('ends as cut off when the context is full, and stops on an abort', async () => {
    const full = createScriptedSession({
      distribution: { kind: 'bytes' },
      next: () => sayingDistribution(97),
      failAfterSteps: 3,
      error: new ModelNetError('CONTEXT_OVERFLOW', 'full'),
    })
    const parts = await partsOf(full)
    expect(textOf(parts)).toBe('aaa')
    expect(parts.at(-1)).toMatchObject({ reason: 'length' })
    const controller = new AbortController()
    const reading = decodeText(sayingBytes(encode('abc')), { signal: controller.signal })
    await reading.next()
    controller.abort()
    await expect(reading.next()).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('ends a text that goes round in circles', async () => {
    const round = encode(`so ${'and on '.repeat(500)}`)
    const parts = await partsOf(sayingBytes(round))
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'length' })
    expect(textOf(parts).length).toBeLessThan(300)
    expect(textOf(await partsOf(sayingBytes(round), { repetitionBytes: 2000 })).length).toBeGreaterThan(1900)
  })
})

function sayingDistribution(symbol: number): { kind: 'bytes'; probabilities: Float64Array } {
  const probabilities = new Float64Array(END + 1)
  probabilities[symbol] = 1
  return { kind: 'bytes', probabilities }
}
