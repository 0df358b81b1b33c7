import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TextPiece, TextStreamOptions } from './text-stream.ts'
import { createTextStream } from './text-stream.ts'

/** Text and reasoning of an answer that arrives in pieces of so many bytes. */
function read(
  answer: string | Uint8Array,
  size: number,
  options: TextStreamOptions = {},
): { text: string; reasoning: string } {
  const bytes = typeof answer === 'string' ? new TextEncoder().encode(answer) : answer
  const stream = createTextStream(options)
  const pieces: TextPiece[] = []
  for (let at = 0; at < bytes.length && !stream.stopped; at += size)
    pieces.push(...stream.push(bytes.subarray(at, at + size)))
  pieces.push(...stream.end())
  const join = (type: string): string => pieces.map(piece => (piece.type === type ? piece.text : '')).join('')
  return { text: join('text-delta'), reasoning: join('reasoning-delta') }
}

const sizes = fc.integer({ min: 1, max: 7 })

describe('a text stream', () => {
  it('gives back any text, however its bytes arrive', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), sizes, (text, size) => {
        expect(read(text, size).text).toBe(text)
      }),
    )
  })

  it('shows the text before the first stop text, however its bytes arrive', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 30 })
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    })
    fc.assert(
      fc.property(letters, stops, sizes, (text, stop, size) => {
        const shown = read(text, size, { stop }).text
        expect(text.startsWith(shown)).toBe(true)
        for (const mark of stop) expect(shown).not.toContain(mark)
        const found = stop.map(mark => text.indexOf(mark)).filter(index => index >= 0)
        if (found.length === 0) expect(shown).toBe(text)
      }),
    )
  })

  it.each([
    ['<think>let me see</think>\n\nyes', 'start', 'let me see', 'yes'],
    ['\n<think>let me see</think>yes', 'start', 'let me see', 'yes'],
    ['let me see</think> yes', 'inside', 'let me see', 'yes'],
    ['no thinking < here', 'start', '', 'no thinking < here'],
    ['<th', 'start', '', '<th'],
    ['only <think>later</think>', 'start', '', 'only <think>later</think>'],
    ['never done', 'inside', 'never done', ''],
  ] as const)('tells reasoning from the answer in %j (%s)', (answer, reasoning, thought, text) => {
    for (const size of [1, 3, 100]) expect(read(answer, size, { reasoning })).toEqual({ reasoning: thought, text })
  })

  it('replaces bytes that are no text, and holds back half a character', () => {
    const stream = createTextStream()
    expect(stream.push(Uint8Array.of(0x61, 0xc3))).toEqual([{ type: 'text-delta', text: 'a' }])
    expect(stream.push(Uint8Array.of(0xa9))).toEqual([{ type: 'text-delta', text: 'é' }])
    expect(read(Uint8Array.of(0x61, 0xff, 0xc3), 1).text).toBe('a\uFFFD\uFFFD')
  })

  it('leaves out white space at the end when told to', () => {
    expect(read('{ "a": 1 } \n\n', 1, { trimEnd: true }).text).toBe('{ "a": 1 }')
  })
})
