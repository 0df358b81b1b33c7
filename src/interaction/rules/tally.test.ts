import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Answer } from '../pathway/path.ts'
import { capByOwner, logOddsWeight, tally } from './tally.ts'

const answer = (text: string): Answer => ({ text, by: `m@${text}`, usage: { promptTokens: 0, completionTokens: 0 } })

describe('log-odds weights', () => {
  it.each([
    [0.9, 4, Math.log(27)],
    [0.5, 2, 0],
    [0.25, 4, 0],
    [0.1, 4, 0],
    [1, 2, Math.log(99)],
  ])('of a voter right with %f among %i', (p, options, weight) => {
    expect(logOddsWeight(p, options)).toBeCloseTo(weight, 9)
  })
})

describe('the cap on owners', () => {
  it('leaves single votes alone, however heavy', () => {
    expect(capByOwner([5, 1, 1], ['x', 'y', 'z'])).toEqual([5, 1, 1])
  })

  it('makes many votes of one owner a third at most', () => {
    const capped = capByOwner([1, 1, 1, 1, 1, 1, 1, 1], ['x', 'x', 'x', 'x', 'y', 'z', 'u', 'v'])
    expect(capped.slice(0, 4).reduce((a, b) => a + b)).toBeCloseTo(2)
    expect(capped.reduce((a, b) => a + b)).toBeCloseTo(6)
  })
})

it('elects the same whatever the order of the branches, when there is no tie', () => {
  const ballots = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c', undefined), weight: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 9 },
  )
  fc.assert(
    fc.property(ballots, fc.integer(), (drawn, seed) => {
      const cast = drawn.map(({ key, weight }, index) => ({ key, weight, answer: answer(`${index}`) }))
      const shuffled = cast.toSorted(
        (a, b) =>
          ((a.answer.text.charCodeAt(0) * 7919 + seed) % 13) - ((b.answer.text.charCodeAt(0) * 7919 + seed) % 13),
      )
      const [first, second] = tally(cast).groups
      fc.pre(first?.weight !== second?.weight)
      expect(tally(shuffled).groups[0]?.key).toBe(first?.key)
      expect(tally(cast).abstentions).toBe(drawn.filter(({ key }) => key === undefined).length)
    }),
  )
})
