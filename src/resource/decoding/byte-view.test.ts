import { describe, expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import { createHashedTokenModel, createScriptedSession, type ScriptedSession } from '../../testing/index.ts'
import type { Distribution } from '../index.ts'
import { createByteView } from './byte-view.ts'
import { createTokenSession } from './token-session.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const probabilityOf = (distribution: Distribution | undefined, symbol: string | number): number => {
  if (distribution?.kind !== 'bytes') throw new Error('expected bytes')
  return distribution.probabilities[typeof symbol === 'number' ? symbol : symbol.charCodeAt(0)] ?? 0
}

/** After the text, these tokens with these probabilities; the end and what is not reported share the rest as given. */
const telling = (table: Readonly<Record<string, Readonly<Record<string, number>>>>, end = 0.1): ScriptedSession =>
  createScriptedSession({
    distribution: { kind: 'tokens', top: 4 },
    next: text => {
      const tokens = table[Buffer.from(text).toString()] ?? {}
      const candidates = Object.entries(tokens)
        .map(([token, probability]) => ({ bytes: encode(token), logprob: Math.log(probability) }))
        .sort((a, b) => b.logprob - a.logprob)
      const mass = Object.values(tokens).reduce((sum, value) => sum + value, end)
      return { kind: 'tokens', candidates, end: Math.log(end), residual: 1 - mass }
    },
  })

describe('bytes seen through token candidates', () => {
  it('follows candidates byte by byte and asks anew where one ends', async () => {
    const inner = telling({ '': { ab: 0.4, a: 0.2, c: 0.3 }, a: { b: 0.5, d: 0.4 }, ab: { e: 0.9 } })
    const view = createByteView(inner)
    const first = await view.next()
    expect(probabilityOf(first, 'a')).toBeCloseTo(0.6, 9)
    expect(probabilityOf(first, 'c')).toBeCloseTo(0.3, 9)
    expect(probabilityOf(first, END)).toBeCloseTo(0.1, 9)
    await view.commit(encode('a'))
    const second = await view.next()
    // 2/3 that "ab" was begun, 1/3 that "a" is complete: then "b" with 0.5.
    expect(probabilityOf(second, 'b')).toBeCloseTo(2 / 3 + 0.5 / 3, 9)
    expect(probabilityOf(second, 'd')).toBeCloseTo(0.4 / 3, 9)
    await view.commit(encode('b'))
    expect(probabilityOf(await view.next(), 'e')).toBeCloseTo(0.9, 9)
    expect(Buffer.from(inner.committed).toString()).toBe('ab')
  })

  it('spreads what is not reported evenly, and begins anew after such a byte', async () => {
    const view = createByteView(telling({ '': { a: 0.5 }, x: { y: 0.9 } }))
    expect(probabilityOf(await view.next(), 'x')).toBeCloseTo(0.4 / 256, 9)
    await view.commit(encode('x'))
    expect(probabilityOf(await view.next(), 'y')).toBeCloseTo(0.9, 9)
  })

  it('looks ahead as committing would, and drafts what it finds best', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c', 'ab', 'bca'], seed: 4, sharpness: 8 })
    const open = async () =>
      createByteView(await createTokenSession(model, model.prompt('ab'), { kind: 'tokens', top: 4 }))
    const text = encode('abcab')
    const ahead = await (await open()).peek(text)
    const committing = await open()
    for (const [at, distribution] of ahead.entries()) {
      const next = await committing.next()
      for (let symbol = 0; symbol <= END; symbol++)
        expect(probabilityOf(next, symbol)).toBeCloseTo(probabilityOf(distribution, symbol), 12)
      await committing.commit(text.subarray(at, at + 1))
    }
    const drafting = await open()
    const { bytes } = await drafting.draft(5)
    const [first] = await drafting.peek(bytes, [0])
    if (first?.kind !== 'bytes') throw new Error('expected bytes')
    if (bytes.length > 0) expect(bytes[0]).toBe(first.probabilities.indexOf(Math.max(...first.probabilities)))
  })

  it('is exact where every token is one byte and all are reported', async () => {
    const model = createHashedTokenModel({ tokens: ['a', 'b', 'c'], seed: 9 })
    const exact = await createTokenSession(model, model.prompt('ab'), { kind: 'bytes' })
    const view = createByteView(await createTokenSession(model, model.prompt('ab'), { kind: 'tokens', top: 3 }))
    for (const byte of encode('abca')) {
      const [one, other] = await Promise.all([exact.next(), view.next()])
      for (const symbol of ['a', 'b', 'c', END])
        expect(probabilityOf(other, symbol)).toBeCloseTo(probabilityOf(one, symbol), 12)
      await Promise.all([exact, view].map(session => session.commit(Uint8Array.of(byte))))
    }
  })
})
