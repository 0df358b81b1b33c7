import { describe, expect, it } from 'vitest'
import { refineTags } from './operations.ts'

const arithmetic = [
  { tag: 'skill:arithmetic', probability: 0.9 },
  { tag: 'skill:words', probability: 0.1 },
]

describe('finer tags', () => {
  it.each([
    ['What is 58 plus 27?', 'skill:addition'],
    ['What is 9 - 4?', 'skill:addition'],
    ['A farmer has 12 hens and buys 5 more. How many hens has he?', 'skill:addition'],
    ['17+23*30+15-14*3', 'skill:multiplication'],
    ['What is 12 times 9?', 'skill:multiplication'],
    ['Divide 84 by 7.', 'skill:multiplication'],
    ['What is the remainder of 17 divided by 5?', 'skill:multiplication'],
    ['6 x 7 = ?', 'skill:multiplication'],
  ])('%s: %s', (text, tag) => {
    expect(refineTags(arithmetic, text).map(found => found.tag)).toEqual(['skill:arithmetic', tag, 'skill:words'])
  })

  it('leaves other fields, and tags that are exact already, as they are', () => {
    const words = [{ tag: 'skill:words', probability: 1 }]
    expect(refineTags(words, '3 * 4')).toEqual(words)
    const exact = [...arithmetic, { tag: 'skill:addition', probability: 1 }]
    expect(refineTags(exact, '3 * 4')).toEqual(exact)
  })
})
