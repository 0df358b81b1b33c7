import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  expectedCalibrationError,
  mcnemarExact,
  mean,
  pairedBootstrap,
  percentile,
  standardDeviation,
  wilson,
} from './statistics.ts'

describe('wilson', () => {
  it('gives the textbook interval', () => {
    // 81 of 263: (0.2553, 0.3662), Newcombe 1998, Statistics in Medicine 17, table I, method 3
    const { low, high } = wilson(81, 263)
    expect(low).toBeCloseTo(0.2553, 4)
    expect(high).toBeCloseTo(0.3662, 4)
  })

  it('is (0, 0.2039) for none of 15 and the mirror image for all of 15', () => {
    expect(wilson(0, 15)).toMatchObject({ estimate: 0, low: 0, high: expect.closeTo(0.2039, 4) })
    expect(wilson(15, 15)).toMatchObject({ estimate: 1, low: expect.closeTo(0.7961, 4), high: 1 })
  })

  it('holds the estimate and stays within 0..1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const { estimate, low, high } = wilson(Math.round(share * n), n)
        return 0 <= low && low <= estimate && estimate <= high && high <= 1
      }),
    )
  })
})

describe('mcnemarExact', () => {
  it('gives hand-computed binomial tails', () => {
    expect(mcnemarExact(0, 0)).toBe(1)
    expect(mcnemarExact(5, 5)).toBe(1)
    expect(mcnemarExact(0, 5)).toBeCloseTo(2 / 32, 12)
    expect(mcnemarExact(1, 9)).toBeCloseTo((2 * 11) / 1024, 12)
  })

  it('does not care which system is named first', () => {
    fc.assert(
      fc.property(
        fc.nat(300),
        fc.nat(300),
        (b, c) => Math.abs(mcnemarExact(b, c) - mcnemarExact(c, b)) < 1e-12 && mcnemarExact(b, c) <= 1,
      ),
    )
  })
})

describe('pairedBootstrap', () => {
  it('is reproducible and holds the difference', () => {
    const first = [1, 1, 1, 0, 1, 1, 0, 1]
    const second = [0, 1, 0, 0, 1, 0, 0, 1]
    const once = pairedBootstrap(first, second, { seed: 7 })
    expect(once).toEqual(pairedBootstrap(first, second, { seed: 7 }))
    expect(once.estimate).toBeCloseTo(3 / 8)
    expect(once.low).toBeGreaterThanOrEqual(0)
    expect(once.high).toBeLessThanOrEqual(0.75)
    expect(once.low).toBeLessThan(once.high)
  })

  it('says exactly zero for equal systems', () => {
    expect(pairedBootstrap([1, 0, 1], [1, 0, 1])).toEqual({ estimate: 0, low: 0, high: 0 })
  })
})

it('interpolates percentiles', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(percentile([10, 20, 30], 0.95)).toBeCloseTo(29)
  expect(percentile([], 0.5)).toBeNaN()
})

it('computes mean and sample deviation as table 8 of the SI/PI paper does', () => {
  const orders = [75.33, 65.33, 60, 60.33, 58.33, 70]
  expect(mean(orders)).toBeCloseTo(64.88, 1)
  expect(standardDeviation(orders)).toBeCloseTo(6.68, 2)
  expect(standardDeviation([3])).toBe(0)
})

it('measures calibration: zero when confidence is the share of right answers, its distance otherwise', () => {
  const answers = (right: number): { confidence: number; right: boolean }[] =>
    Array.from({ length: 10 }, (_, index) => ({ confidence: 0.8, right: index < right }))
  expect(expectedCalibrationError(answers(8))).toBeCloseTo(0)
  expect(expectedCalibrationError(answers(3))).toBeCloseTo(0.5)
})
