import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RepetitionGuard } from './repetition.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const noticedAfter = (text: string, bytes: number, piece = 1): number => {
  const guard = new RepetitionGuard(bytes)
  const all = encode(text)
  for (let at = 0; at < all.length; at += piece) if (guard.push(all.subarray(at, at + piece))) return at + piece
  return -1
}

describe('a text that repeats itself', () => {
  it('is noticed soon after so many bytes of it, whatever came before and in whatever pieces', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' '), minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(pattern, fc.string({ maxLength: 300 }), fc.integer({ min: 1, max: 9 }), (again, before, piece) => {
        const text = before + again.repeat(Math.ceil(300 / encode(again).length))
        const after = noticedAfter(text, 256, piece)
        expect(after).toBeGreaterThan(0)
        expect(after).toBeLessThanOrEqual(encode(before).length + 256 + 16 + piece)
      }),
    )
  })

  it('is not seen in one that goes on', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}: ${index * index}\n`).join('')
    expect(noticedAfter(lines, 256)).toBe(-1)
    expect(noticedAfter(`${'-'.repeat(200)} ${'-'.repeat(200)}`, 256)).toBe(-1)
  })
})
