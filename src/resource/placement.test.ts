import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freeFor, type HeldMemory, type ModelHost, memoryOf, place } from './placement.ts'

const bytes = fc.integer({ min: 0, max: 1000 })
const needs = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1, maxLength: 3 }), bytes }), {
  selector: ({ id }) => id,
  maxLength: 12,
})
const hosts = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    freeBytes: bytes,
    load: fc.nat(9),
    cached: fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 4 }),
  }),
  { selector: ({ id }) => id, maxLength: 6 },
)

describe('placement', () => {
  it('never gives a host more than it has free', () => {
    fc.assert(
      fc.property(needs, hosts, (models, all) => {
        const placed = place(models, all)
        for (const host of all) {
          const given = models.filter(({ id }) => placed.get(id) === host.id)
          expect(given.reduce((sum, model) => sum + model.bytes, 0)).toBeLessThanOrEqual(host.freeBytes)
        }
      }),
    )
  })

  it('places a single model whenever some host has the room', () => {
    fc.assert(
      fc.property(bytes, hosts, (size, all) => {
        const placed = place([{ id: 'm', bytes: size }], all)
        expect(placed.has('m')).toBe(all.some(host => host.freeBytes >= size))
      }),
    )
  })

  it('does not depend on the order in which models and hosts are named', () => {
    fc.assert(
      fc.property(needs, hosts, (models, all) => {
        expect(place(models.toReversed(), all.toReversed())).toEqual(place(models, all))
      }),
    )
  })

  it.each([
    ['where the weights lie already, even if it is busier', { cached: ['m'], load: 3 }, { load: 0 }],
    ['on the idlest', { load: 1, freeBytes: 100 }, { load: 2, freeBytes: 900 }],
    ['where there is most room, all else being equal', { freeBytes: 900 }, { freeBytes: 100 }],
  ])('puts a model %s', (_, better: Partial<ModelHost>, worse: Partial<ModelHost>) => {
    const host = (id: string, facts: Partial<ModelHost>): ModelHost => ({
      id,
      freeBytes: 500,
      load: 0,
      cached: [],
      ...facts,
    })
    expect(place([{ id: 'm', bytes: 50 }], [host('a', worse), host('b', better)]).get('m')).toBe('b')
  })

  it('keeps within budget and within what is available, whatever order models come and load in', () => {
    const steps = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 400 }), loads: fc.boolean() }), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 2000 }), steps, (budgetBytes, available, models) => {
        let held: readonly HeldMemory[] = []
        for (const model of models) {
          // what is loaded is no longer available
          const used = held.reduce((sum, each) => sum + (each.loaded ? each.bytes : 0), 0)
          const availableBytes = available - used
          if (model.bytes <= freeFor({ budgetBytes, totalBytes: 2000, availableBytes, held }))
            held = [...held, { bytes: model.bytes, loaded: model.loads }]
          const total = held.reduce((sum, each) => sum + each.bytes, 0)
          expect(total).toBeLessThanOrEqual(budgetBytes)
          expect(total).toBeLessThanOrEqual(Math.max(0, available))
        }
      }),
    )
  })
})

describe('the memory of a model', () => {
  it('comes near to what a model of 7e9 parameters takes in 16 bits: 13.5 GB and 0.52 MB for each token', () => {
    const model = { weightsBytes: 13.5e9, parameters: 6.74e9, concurrency: 1 }
    const [none, some] = [memoryOf({ ...model, contextLength: 1 }), memoryOf({ ...model, contextLength: 4096 })]
    expect(none / 13.5e9).toBeCloseTo(1.06, 1)
    expect((some - none) / 4095 / 524_288).toBeCloseTo(1, 0)
  })

  it('grows with sequences and their length', () => {
    const model = { weightsBytes: 1e9, contextLength: 1000, concurrency: 1 }
    expect(memoryOf({ ...model, concurrency: 4 })).toBe(memoryOf({ ...model, contextLength: 4000 }))
    expect(memoryOf({ ...model, concurrency: 4 })).toBeGreaterThan(memoryOf(model))
  })
})
