import { describe, expect, it } from 'vitest'
import type { ModelCard } from '../protocol/index.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createScriptedModel } from '../testing/scripted-model.ts'
import { ModelNetError } from '../utils/errors.ts'
import { silentLogger } from '../utils/logger.ts'
import { createCapabilityMap } from './evidence-map.ts'
import type { Offer } from './matcher.ts'
import type { ProbeOutcome, ProberOptions, ProbeSource } from './prober.ts'
import { createProber } from './prober.ts'

const CLAIM = { tag: 'skill:sums', n: 600, accuracy: 0.99 }

function setUp(
  answers: Readonly<Record<string, string | Error>>,
  options: ProberOptions = {},
  card: Partial<ModelCard> = {},
) {
  const clock = createManualClock()
  const abilities = createCapabilityMap({ clock })
  const offers: Offer[] = Object.entries(answers).map(([id, answer]) => {
    const model = createScriptedModel({
      id,
      node: `node-${id}`,
      clock,
      card: { tags: ['skill:sums'], claims: [CLAIM], ...card },
      ...(typeof answer === 'string' ? { answer } : { failure: { error: answer } }),
    })
    abilities.describe(model.card)
    return { model, nodeId: `node-${id}`, state: 'alive' }
  })
  const questions: ProbeSource = tag =>
    tag === 'skill:sums'
      ? { question: 'What is 2 plus 2?', grade: answer => (answer.trim() === '4' ? 1 : 0) }
      : undefined
  const seen: ProbeOutcome[] = []
  const prober = createProber(
    {
      offers: () => offers,
      abilities,
      questions,
      clock,
      logger: silentLogger,
      onOutcome: outcome => seen.push(outcome),
    },
    options,
  )
  const ability = (id: string): number => abilities.ability(`${id}@node-${id}`, 'skill:sums').mean
  return { prober, ability, clock, abilities, seen, offers }
}

describe('the prober', () => {
  it('finds an inflated claim out in a few probes', async () => {
    const { prober, ability } = setUp({ honest: '4', liar: '5' })
    expect(ability('liar')).toBe(ability('honest'))
    const asked = { honest: 0, liar: 0 }
    for (let probe = 0; probe < 12; probe++) {
      const outcome = await prober.probe()
      if (outcome?.model === 'honest' || outcome?.model === 'liar') asked[outcome.model]++
    }
    expect(asked.liar).toBeGreaterThanOrEqual(3)
    expect(ability('liar')).toBeLessThan(ability('honest') - 0.3)
  })

  it('asks each model so many times, and once more after a time', async () => {
    const { prober, clock } = setUp({ honest: '4' }, { probes: 3, renewMs: 1000 })
    for (let probe = 0; probe < 3; probe++) expect(await prober.probe()).toMatchObject({ model: 'honest', score: 1 })
    expect(await prober.probe()).toBeUndefined()
    await clock.advance(1000)
    expect(await prober.probe()).toBeDefined()
    expect(await prober.probe()).toBeUndefined()
  })

  it('takes a call that fails for no evidence, and goes on to others', async () => {
    const { prober, abilities } = setUp(
      { broken: new ModelNetError('ENGINE_FAILED', 'no'), honest: '4' },
      { probes: 2 },
    )
    for (let probe = 0; probe < 4; probe++) await prober.probe()
    const evidence = (id: string): number => abilities.ability(`${id}@node-${id}`, 'skill:sums').evidence
    expect(evidence('honest') - evidence('broken')).toBe(2)
  })

  it('does not spend money: a model with a price is not probed', async () => {
    const { prober } = setUp({ dear: '4' }, {}, { price: { currency: 'EUR', input: 1, output: 1 } })
    expect(await prober.probe()).toBeUndefined()
  })

  it('lets a busy model be, until it has a place free', async () => {
    const { prober, offers } = setUp({ busy: '4' })
    const [offer] = offers
    const load = (running: number): void => {
      const models = [{ id: 'busy', running, queued: 0, slots: 2, tokensPerSecond: 0 }]
      offers[0] = { ...(offer as Offer), status: { seq: 1, at: 1, draining: false, models } }
    }
    load(2)
    expect(await prober.probe()).toBeUndefined()
    load(1)
    expect(await prober.probe()).toMatchObject({ model: 'busy' })
  })

  it('asks no tag it has no questions for', async () => {
    const { prober } = setUp({ poet: 'a poem' }, {}, { tags: ['skill:poems'], claims: [] })
    expect(await prober.probe()).toBeUndefined()
  })

  it('probes at its pace until it is told to stop', async () => {
    const { prober, clock, seen } = setUp({ honest: '4' })
    const stop = new AbortController()
    const running = prober.run(1000, stop.signal)
    await clock.advance(3500)
    stop.abort()
    await running
    expect(seen).toHaveLength(3)
  })
})
