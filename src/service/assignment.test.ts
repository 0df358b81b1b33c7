import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign } from './assignment.ts'

/** The best sum over all ways, by trying them all; fewest left out first. */
function bruteForce(utilities: readonly (readonly number[])[], capacity: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [Number.NEGATIVE_INFINITY, 0]
  const used = capacity.map(() => 0)
  const visit = (row: number, served: number, sum: number): void => {
    if (row === utilities.length) {
      if (served > best[0] || (served === best[0] && sum > best[1])) best = [served, sum]
      return
    }
    visit(row + 1, served, sum)
    utilities[row]?.forEach((utility, model) => {
      if (!Number.isFinite(utility) || (used[model] ?? 0) >= (capacity[model] ?? 1)) return
      used[model] = (used[model] ?? 0) + 1
      visit(row + 1, served + 1, sum + utility)
      used[model] = (used[model] ?? 0) - 1
    })
  }
  visit(0, 0, 0)
  return best
}

describe('assignment of subtasks to models', () => {
  it('gives up the best single choice where the sum is better', () => {
    expect(
      assign([
        [0.9, 0.8],
        [0.9, 0.1],
      ]),
    ).toEqual([1, 0])
  })

  it('lets a model take several subtasks when it has the capacity', () => {
    expect(
      assign(
        [
          [0.9, 0.8],
          [0.9, 0.1],
        ],
        [2, 1],
      ),
    ).toEqual([0, 0])
  })

  it('leaves out what nobody can serve', () => {
    const none = Number.NEGATIVE_INFINITY
    expect(
      assign([
        [none, none],
        [0.5, none],
      ]),
    ).toEqual([-1, 0])
    expect(assign([])).toEqual([])
    expect(assign([[]])).toEqual([-1])
  })

  it('is as good as trying every way', () => {
    const utility = fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY))
    const models = 3
    fc.assert(
      fc.property(
        fc.array(fc.array(utility, { minLength: models, maxLength: models }), { maxLength: 4 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: models, maxLength: models }),
        (utilities, capacity) => {
          const chosen = assign(utilities, capacity)
          const served = chosen.filter(model => model >= 0).length
          const sum = chosen.reduce((total, model, row) => total + (model < 0 ? 0 : (utilities[row]?.[model] ?? 0)), 0)
          const [bestServed, bestSum] = bruteForce(utilities, capacity)
          expect(served).toBe(bestServed)
          expect(sum).toBeCloseTo(bestSum)
          capacity.forEach((limit, model) => {
            expect(chosen.filter(one => one === model).length).toBeLessThanOrEqual(limit)
          })
        },
      ),
    )
  })
})
