import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createScriptedCard } from '../testing/index.ts'
import type { Clock } from '../utils/clock.ts'
import { createCapabilityMap } from './evidence-map.ts'

const DAY = 24 * 3600_000

function createClock(): Clock & { time: number } {
  const clock = { time: 1e12, now: () => clock.time, monotonic: () => clock.time, sleep: () => Promise.resolve() }
  return clock
}

const probe = (model: string, score: number, at: number, weight = 1) =>
  ({ model, tag: 'skill:units', source: 'probe', score, at, weight }) as const

describe('the capability map', () => {
  it('believes a claim little and evidence much: an inflated card loses within 20 probes', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    const claims = (accuracy: number) => ({ tags: ['skill:units'], claims: [{ tag: 'skill:units', n: 1e6, accuracy }] })
    map.describe(createScriptedCard({ id: 'liar', node: 'n', card: claims(0.99) }))
    map.describe(createScriptedCard({ id: 'honest', node: 'n', card: claims(0.8) }))
    expect(map.ability('liar@n', 'skill:units').mean).toBeGreaterThan(map.ability('honest@n', 'skill:units').mean)
    expect(map.ability('liar@n', 'skill:units').evidence).toBe(4)
    for (let count = 0; count < 20; count++) map.observe(probe('liar@n', count % 2, clock.now()))
    expect(map.ability('liar@n', 'skill:units').mean).toBeLessThan(map.ability('honest@n', 'skill:units').mean)
  })

  it('does not add a claim up when a card is read again', () => {
    const map = createCapabilityMap({ clock: createClock() })
    const card = createScriptedCard({ card: { claims: [{ tag: 'skill:units', n: 100, accuracy: 0.9 }] } })
    map.describe(card)
    const once = map.ability('scripted@local', 'skill:units')
    map.describe(card)
    expect(map.ability('scripted@local', 'skill:units')).toEqual(once)
  })

  it('expects little at a tag that the card does not list', () => {
    const map = createCapabilityMap({ clock: createClock() })
    map.describe(createScriptedCard({ card: { tags: ['skill:units'] } }))
    expect(map.ability('scripted@local', 'skill:words').mean).toBeLessThan(map.ability('unknown@x', 'skill:words').mean)
  })

  it('counts a judge less than a probe', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    for (const source of ['judge', 'probe', 'feedback'] as const)
      map.observe({ model: source, tag: 'skill:units', source, score: 1, at: clock.now(), weight: 10 })
    const [feedback, judge, probed] = ['feedback', 'judge', 'probe'].map(
      model => map.ability(model, 'skill:units').mean,
    )
    expect(feedback).toBeLessThan(judge ?? 0)
    expect(judge).toBeLessThan(probed ?? 0)
  })

  it('forgets: old evidence counts half after its half-life', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock }, { halfLifeMs: DAY })
    map.observe(probe('m', 1, clock.now(), 8))
    clock.time += DAY
    expect(map.ability('m', 'skill:units').evidence).toBeCloseTo(4)
    map.observe(probe('m', 1, clock.now() - DAY, 2))
    expect(map.ability('m', 'skill:units').evidence).toBeCloseTo(5)
  })

  it('widens when the weights of a model change, not when its card is merely renewed', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    const weights = (digit: string) => ({ weights: { format: 'gguf', digest: `sha256:${digit.repeat(64)}`, bytes: 1 } })
    map.describe(createScriptedCard({ card: weights('a') }))
    map.observe(probe('scripted@local', 1, clock.now(), 50))
    const known = map.ability('scripted@local', 'skill:units')
    map.describe(createScriptedCard({ card: { ...weights('a'), expiresAt: 99_000_000_000 } }))
    expect(map.ability('scripted@local', 'skill:units').deviation).toBeCloseTo(known.deviation)
    map.describe(createScriptedCard({ card: weights('b') }))
    expect(map.ability('scripted@local', 'skill:units').deviation).toBeGreaterThan(known.deviation)
  })

  it('keeps copies at different nodes apart and pools them under the bare name', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    map.observe(probe('m@a', 1, clock.now(), 10))
    map.observe(probe('m@b', 0, clock.now(), 10))
    expect(map.ability('m@a', 'skill:units').mean).toBeGreaterThan(0.8)
    expect(map.ability('m@b', 'skill:units').mean).toBeLessThan(0.2)
    expect(map.ability('m', 'skill:units')).toMatchObject({ mean: 0.5, evidence: 20 })
  })

  it('is the same after export and import, and weighs records of others as told', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    map.observe(probe('m@a', 1, clock.now(), 100))
    const restored = createCapabilityMap({ clock })
    restored.import(JSON.parse(JSON.stringify(map.export())))
    expect(restored.ability('m@a', 'skill:units')).toEqual(map.ability('m@a', 'skill:units'))
    const doubtful = createCapabilityMap({ clock })
    doubtful.import(map.export(), { trust: 0.5, maxAnswers: 5 })
    expect(doubtful.ability('m@a', 'skill:units').evidence).toBeCloseTo(5)
    expect(() => doubtful.import([{ model: 'm', right: 'many' }])).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    )
  })

  it('keeps what others attest apart: the latest word of each counts once and is not passed on', () => {
    const clock = createClock()
    const map = createCapabilityMap({ clock })
    const told = (right: number) => [{ model: 'm@a', tag: 'skill:units', right, wrong: 0, at: clock.now() }]
    map.import(told(10), { trust: 0.5, from: 'x' })
    map.import(told(20), { trust: 0.5, from: 'x' })
    map.import(told(4), { trust: 0.5, from: 'y' })
    expect(map.ability('m@a', 'skill:units').evidence).toBeCloseTo(12)
    expect(map.ability('m', 'skill:units').evidence).toBeCloseTo(12)
    expect(map.export()).toEqual([])
    for (let source = 0; source < 100; source++) map.import(told(1), { from: `source ${source}` })
    expect(map.ability('m@a', 'skill:units').evidence).toBeCloseTo(64)
  })

  it('stays bounded and stays a probability whatever is observed', () => {
    const clock = createClock()
    const observation = fc.record({
      model: fc.constantFrom('a', 'a@n', 'b@n', 'c@n'),
      tag: fc.constantFrom('skill:x', 'skill:y'),
      source: fc.constantFrom('claim', 'feedback', 'judge', 'audit', 'grader', 'probe'),
      score: fc.double(),
      weight: fc.double(),
      at: fc.double({ noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(observation), all => {
        const map = createCapabilityMap({ clock }, { maxEntries: 3 })
        for (const evidence of all) map.observe(evidence)
        const { mean, deviation } = map.ability('a', 'skill:x')
        expect(mean >= 0 && mean <= 1 && deviation >= 0).toBe(true)
        expect(map.export().length).toBeLessThanOrEqual(3)
      }),
    )
  })
})
