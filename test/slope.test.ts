import { expect, it } from 'vitest'
import { type Sample, slopeOf } from '../benchmarks/resilience/slope.ts'
import { createRandom } from '../src/utils/random.ts'

/** Samples every two seconds for twenty minutes, with noise of one. */
const samplesOf = (perHour: number, seed: string): Sample[] => {
  const random = createRandom(seed)
  return Array.from({ length: 600 }, (_, index) => {
    const at = index * 2
    return { at, value: 100 + (perHour * at) / 3600 + random.next() * 2 - 1 }
  })
}

it('a slope is found through noise, with an interval that holds it', () => {
  const { perHour, from, to, first, last } = slopeOf(samplesOf(30, 'grows'))
  expect(perHour).toBeGreaterThan(29)
  expect(perHour).toBeLessThan(31)
  expect([from < 30, to > 30, from > 25]).toEqual([true, true, true])
  expect(last - first).toBeGreaterThan(8)
})

it('what does not grow is not said to, in 19 of 20 cases', () => {
  const flat = Array.from({ length: 200 }, (_, seed) => slopeOf(samplesOf(0, `flat ${seed}`)))
  const held = flat.filter(({ from, to }) => from <= 0 && to >= 0).length
  expect(held).toBeGreaterThan(180)
  expect(held).toBeLessThan(200)
})
