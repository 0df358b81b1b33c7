import { afterEach, describe, expect, it } from 'vitest'
import { CARD_LIFETIME_S, createAdmission, type Engine, type LoadedModel, type ModelCard } from '../resource/index.ts'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { createScriptedModel, type ScriptedModel } from '../testing/scripted-model.ts'
import { silentLogger } from '../utils/logger.ts'
import { createOwnModels, type OwnModels } from './own-models.ts'

const HOUR_MS = 3_600_000
const open: OwnModels[] = []
afterEach(async () => void (await Promise.all(open.splice(0).map(models => models.close()))))

/** Models of an engine that is a script, and what the others were told of them. */
function create(): {
  readonly clock: ManualClock
  readonly models: OwnModels
  readonly told: (readonly ModelCard[])[]
  readonly loaded: Map<string, ScriptedModel>
} {
  const clock = createManualClock()
  const loaded = new Map<string, ScriptedModel>()
  const engine: Engine = {
    name: 'scripted',
    async load({ id }): Promise<LoadedModel> {
      const issuedAt = Math.floor(clock.now() / 1000)
      const card = { issuedAt, expiresAt: issuedAt + CARD_LIFETIME_S, capabilities: ['generate'] as const }
      const model = createScriptedModel({ id, answer: 'one two three', card })
      loaded.set(id, model)
      return model
    },
    async close() {},
  }
  const models = createOwnModels({
    engines: { get: () => engine },
    node: 'local',
    admission: createAdmission({ clock }),
    clock,
    logger: silentLogger,
  })
  open.push(models)
  const told: (readonly ModelCard[])[] = []
  models.announceWith(async cards => void told.push(cards))
  return { clock, models, told, loaded }
}

const plan = (id: string) => ({ engine: 'llama.cpp' as const, spec: { id } })
const signal = new AbortController().signal
const request = { messages: [{ role: 'user' as const, content: 'count' }] }

describe('the models of a node', () => {
  it('issues cards anew every quarter of their life, so that none expires while the node runs', async () => {
    const { clock, models, told } = create()
    await models.load([plan('a'), plan('b')])
    const first = models.cards()
    await clock.advance(5.9 * HOUR_MS)
    expect(told).toEqual([])
    await clock.advance(0.2 * HOUR_MS)
    expect(told).toHaveLength(1)
    for (let hours = 0; hours < 72; hours++) {
      await clock.advance(HOUR_MS)
      for (const card of models.cards())
        expect(card.expiresAt - clock.now() / 1000).toBeGreaterThan(CARD_LIFETIME_S / 2)
    }
    expect(told.length).toBeGreaterThanOrEqual(12)
    expect(told.length).toBeLessThanOrEqual(13)
    const last = told.at(-1) ?? []
    expect(last.map(({ id }) => id)).toEqual(['a', 'b'])
    expect({ ...last[0], issuedAt: 0, expiresAt: 0 }).toEqual({ ...first[0], issuedAt: 0, expiresAt: 0 })
    expect(models.list().map(({ card }) => card)).toEqual(models.cards())
  })

  it('announces a model that is added, and one that goes before it is closed', async () => {
    const { clock, models, told, loaded } = create()
    await models.load([plan('a')])
    await models.start({ id: 'b' }, signal)
    expect(told.at(-1)?.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(models.isRunning('b')).toBe(true)
    const stopped = models.stop('b')
    await clock.advance(0)
    expect(told.at(-1)?.map(({ id }) => id)).toEqual(['a'])
    expect(models.isRunning('b')).toBe(false)
    // Who has not heard yet is still answered.
    expect(models.list().map(({ card }) => card.id)).toEqual(['a', 'b'])
    expect(loaded.get('b')?.closed).toBe(false)
    await clock.advance(1000)
    await stopped
    expect(loaded.get('b')?.closed).toBe(true)
    expect(models.list().map(({ card }) => card.id)).toEqual(['a'])
  })

  it('lets a running call finish before it closes a model', async () => {
    const { clock, models, loaded } = create()
    await models.start({ id: 'a' }, signal)
    const answer = models.admitted()[0]?.generate(request)[Symbol.asyncIterator]()
    await answer?.next()
    const stopped = models.stop('a')
    await clock.advance(5000)
    expect(loaded.get('a')?.closed).toBe(false)
    for (let part = await answer?.next(); part && !part.done; part = await answer?.next()) await clock.advance(0)
    await clock.advance(100)
    await stopped
    expect(loaded.get('a')?.closed).toBe(true)
  })

  it('starts a model again only when its stopping is over', async () => {
    const { clock, models, loaded } = create()
    await models.start({ id: 'a' }, signal)
    const first = loaded.get('a')
    const changes = [models.stop('a'), models.start({ id: 'a' }, signal)]
    await clock.advance(0)
    expect(loaded.get('a')).toBe(first)
    await clock.advance(1000)
    await Promise.all(changes)
    expect(loaded.get('a')).not.toBe(first)
    expect(models.isRunning('a')).toBe(true)
  })

  it('knows how long a model was idle: since its last call ended, and not at all while one runs', async () => {
    const { clock, models } = create()
    await models.start({ id: 'a' }, signal)
    await clock.advance(500)
    expect(models.idleMs('a')).toBe(500)
    const answer = models.admitted()[0]?.generate(request)[Symbol.asyncIterator]()
    await answer?.next()
    await clock.advance(700)
    expect(models.calls()).toBe(1)
    expect(models.idleMs('a')).toBe(0)
    await answer?.return?.()
    await clock.advance(300)
    expect(models.idleMs('a')).toBe(300)
  })
})
