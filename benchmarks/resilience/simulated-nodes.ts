import type { ModelStatus } from '../../src/protocol/index.ts'
import { createAdmission, type LanguageModel, withAdmission } from '../../src/resource/index.ts'
import {
  type Candidate,
  createCallRecord,
  createCapabilityMap,
  createCircuitBreakers,
  createFailoverModel,
  createMatcher,
  type Offer,
} from '../../src/service/index.ts'
import { createManualClock, type ManualClock } from '../../src/testing/index.ts'
import { createPacedModel, type OpenLoop, type Outcome, openLoop, type PacedModel } from './load.ts'

/** One model at several nodes, seen by one node that asks. */
export interface SimulatedNodes {
  readonly clock: ManualClock
  readonly models: readonly PacedModel[]
  candidates(): readonly Candidate[]
  failover(candidates: readonly Candidate[]): LanguageModel
  readonly outstanding: (name: string) => number
  /** Answers begun at all nodes since the start. */
  begun(): number
  close(): void
}

const ID = 'bench/paced'
/** One way, in ms. */
const DELAY_MS = 2
/** Load is read so often, as in the product. */
const STATUS_MS = 200

/** Nodes of these speeds, in tokens per second, on a clock of their own. */
export function createSimulatedNodes(speeds: readonly number[]): SimulatedNodes {
  const clock = createManualClock()
  const admissions = speeds.map(() => createAdmission({ clock }))
  const models = speeds.map(speed => createPacedModel(ID, speed, clock))
  const far = models.map((model, index): LanguageModel => {
    const card = { ...model.card, node: `node-${index}` }
    const admission = admissions[index]
    if (!admission) throw new Error('one admission for each node')
    return atDistance(
      withAdmission({ ...model, card, generate: model.generate.bind(model) }, admission, 'asker'),
      clock,
    )
  })
  let statuses: readonly (readonly ModelStatus[])[] = []
  const stopped = new AbortController()
  const read = (): void => {
    statuses = admissions.map(admission => [admission.status({ ...models[0]?.card, id: ID } as LanguageModel['card'])])
  }
  read()
  const telling = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await clock.sleep(STATUS_MS, stopped.signal)
      read()
    }
  }
  telling().catch(() => undefined) // closed
  const offers = (): readonly Offer[] =>
    far.map((model, index) => ({
      model,
      nodeId: model.card.node,
      state: 'alive',
      rttMs: 2 * DELAY_MS,
      status: { seq: 1, at: clock.now(), draining: false, models: statuses[index] ?? [] },
    }))
  const calls = createCallRecord({ clock })
  const breakers = createCircuitBreakers({ clock })
  const abilities = createCapabilityMap({ clock })
  for (const { card } of far) abilities.describe(card)
  const matcher = createMatcher({ offers, abilities, breakers, calls })
  return {
    clock,
    models,
    candidates: () => matcher.candidates({ kind: 'model', id: ID }, []),
    failover: candidates => createFailoverModel(candidates, { clock, breakers, calls }),
    outstanding: name => calls.outstanding(name),
    begun: () => models.reduce((sum, model) => sum + model.begun, 0),
    close: () => stopped.abort(),
  }
}

/** Runs requests while time passes as fast as it can be computed. */
export async function runSimulated(clock: ManualClock, options: Omit<OpenLoop, 'clock'>): Promise<Outcome[]> {
  let done = false
  const running = openLoop({ ...options, clock }).finally(() => {
    done = true
  })
  while (!done) await clock.advance(5)
  return running
}

/** The same model behind a network. */
const atDistance = (model: LanguageModel, clock: ManualClock): LanguageModel => ({
  card: model.card,
  async *generate(request, options) {
    await clock.sleep(DELAY_MS, options?.signal)
    for await (const part of model.generate(request, options)) {
      await clock.sleep(DELAY_MS, options?.signal)
      yield part
    }
  },
})
