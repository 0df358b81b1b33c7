import { describe, expect, it } from 'vitest'
import { createRandom } from '../../utils/random.ts'
import { binomialCdf, guaranteedThreshold } from './guarantee.ts'
import { learnThresholds, runCascade } from './thresholds.ts'

describe('the guaranteed gate', () => {
  it.each([
    [0, 10, 0.1, 0.3486784401],
    [2, 10, 0.1, 0.9298091736],
    [5, 20, 0.3, 0.4163708294],
    [10, 10, 0.5, 1],
  ])('computes P(X <= %i) of Binomial(%i, %f)', (k, n, p, expected) => {
    expect(binomialCdf(k, n, p)).toBeCloseTo(expected, 9)
  })

  it('accepts nothing when there is too little to promise with', () => {
    expect(guaranteedThreshold([{ score: 1, wrong: false }], { alpha: 0.1 })).toBe(Infinity)
    const noise = Array.from({ length: 500 }, (_, index) => ({ score: index, wrong: index % 2 === 0 }))
    expect(guaranteedThreshold(noise, { alpha: 0.1 })).toBe(Infinity)
  })

  it('breaks its promise in at most delta of the cases, where tuning breaks it in far more', () => {
    const random = createRandom(11)
    const draw = (n: number) =>
      Array.from({ length: n }, () => {
        const score = random.next()
        return { score, wrong: random.next() > 0.6 + 0.4 * score }
      })
    const risk = (threshold: number): number => 0.4 * (1 - (1 + threshold) / 2) // P(wrong | score >= threshold)
    const rounds = 400
    let broken = 0
    let tuned = 0
    for (let round = 0; round < rounds; round++) {
      const pairs = draw(300)
      const threshold = guaranteedThreshold(pairs, { alpha: 0.1, delta: 0.1 })
      if (threshold < Infinity && risk(threshold) > 0.1) broken++
      const sorted = pairs.toSorted((a, b) => b.score - a.score)
      let wrong = 0
      let best = Infinity
      for (const [index, pair] of sorted.entries()) {
        if (pair.wrong) wrong++
        if (wrong / (index + 1) <= 0.1) best = pair.score
      }
      if (best < Infinity && risk(best) > 0.1) tuned++
    }
    expect(broken / rounds).toBeLessThanOrEqual(0.1 + 3 * Math.sqrt(0.09 / rounds))
    expect(tuned / rounds).toBeGreaterThan(0.3)
  })
})

describe('thresholds of a cascade', () => {
  const random = createRandom(5)
  const records = Array.from({ length: 400 }, () => {
    const easy = random.next()
    const cheapRight = random.next() < easy ? 1 : 0
    return { scores: [easy, 0], values: [cheapRight, random.next() < 0.95 ? 1 : 0], costs: [1, 20] }
  })

  it('are worth more than either model at the cost between', () => {
    const cheap = runCascade(records, [-Infinity])
    const dear = runCascade(records, [Infinity])
    const learned = learnThresholds(records, { maxCost: 11 })
    expect(learned?.cost).toBeLessThanOrEqual(11)
    expect(learned?.value).toBeGreaterThan(cheap.value + 0.25)
    const kept = learnThresholds(records, { minValue: dear.value - 0.03 })
    expect(kept?.cost).toBeLessThan(dear.cost * 0.9)
  })

  it('says when limits cannot be kept', () => {
    expect(learnThresholds(records, { maxCost: 0.5 })).toBeUndefined()
  })
})
