import { createOffers } from '../../src/application/offers.ts'
import { type AskResult, createCoordinator } from '../../src/interaction/index.ts'
import {
  createIdentity,
  createMembership,
  createPeerLinks,
  type Identity,
  type Membership,
  type MemoryHub,
} from '../../src/network/index.ts'
import type { CallOptions, GenerateRequest, LanguageModel, ModelCard } from '../../src/resource/index.ts'
import { createAdmission, createModelHandlers, createRemoteModel, withAdmission } from '../../src/resource/index.ts'
import type { Candidate, Task } from '../../src/service/index.ts'
import {
  createCallRecord,
  createCapabilityMap,
  createCircuitBreakers,
  createFailoverModel,
  createMatcher,
  createTaskAnalyser,
  forgetReturned,
} from '../../src/service/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { silentLogger as logger } from '../../src/utils/logger.ts'
import { createRandom } from '../../src/utils/random.ts'

export interface BenchNode {
  readonly id: string
  readonly identity: Identity
  readonly address: string
  /** How many models it offers. */
  readonly models: number
  readonly membership: Membership
  /** Who could answer with this model now, best first, as the product's matching says. */
  candidates(model: string): readonly Candidate[]
  /** Those candidates, in this order, as one model with failover. */
  failover(candidates: readonly Candidate[]): LanguageModel
  /** A question, through the coordinator. */
  ask(question: string, options: Task['options'], signal?: AbortSignal): Promise<AskResult>
  /** Calls in flight from this node to `model@node`. */
  outstanding(name: string): number
  /** Leaves in good order: takes no new work, and ends when what runs has ended. */
  leave(): Promise<void>
  /** Ends without a word, as a killed process does. */
  kill(): Promise<void>
}

export interface BenchNodeOptions {
  readonly hub: MemoryHub
  readonly identity?: Identity
  readonly bootstrap?: readonly string[]
  /** Models that this node runs; their cards are given its id. @default none */
  readonly models?: readonly LanguageModel[]
  /** Told of every call that this node makes to a peer, when it begins. */
  readonly onCall?: (node: string, model: string) => void
}

const IDLE_CHECK_MS = 20
const STATUS_MS = 200

/**
 * The parts of a node as `createNode` puts them together (membership, links, admission, matching, failover,
 * coordinator), over a network in memory and without a gateway, so that many fit into one process.
 */
export async function startBenchNode(options: BenchNodeOptions): Promise<BenchNode> {
  const { hub, identity = createIdentity(), bootstrap = [], onCall } = options
  const network = hub.createNetwork({ identity })
  const random = createRandom(identity.nodeId)
  await network.start()
  const admission = createAdmission({ clock })
  const models = (options.models ?? []).map(model => at(model, identity.nodeId))
  const cards = models.map(({ card }) => card)
  const links = createPeerLinks({ network, clock, logger })
  links.serve(createModelHandlers(() => models, { admission, clock }))
  const membership = await createMembership(
    { network, links, identity, clock, random, logger },
    { bootstrap, cards, agent: 'benchmark' },
  )
  const telling = setInterval(
    () => membership.setStatus({ models: cards.map(card => admission.status(card)) }),
    STATUS_MS,
  )
  const abilities = createCapabilityMap({ clock })
  const describeAll = (): void => {
    for (const card of membership.entries().flatMap(entry => entry.cards)) abilities.describe(card)
  }
  describeAll()
  membership.onChange(describeAll)
  const breakers = createCircuitBreakers({ clock })
  forgetReturned(membership, breakers)
  const calls = createCallRecord({ clock })
  const remote = (card: ModelCard): LanguageModel => {
    const model = createRemoteModel({ card, channel: () => links.channel(card.node), clock })
    return onCall ? observed(model, () => onCall(card.node, card.id)) : model
  }
  const local = models.map(model => withAdmission(model, admission, 'local'))
  const offers = createOffers({ directory: membership, local, remote })
  const matcher = createMatcher({ offers, abilities, breakers, calls })
  const coordinator = createCoordinator({
    matcher,
    abilities,
    analyser: createTaskAnalyser(),
    failover: (candidates, onSwitch) => createFailoverModel(candidates, { clock, breakers, calls, onSwitch }),
    clock,
    random,
    logger,
  })
  const stop = async (): Promise<void> => {
    clearInterval(telling)
    await membership.close()
    await links.close()
    await network.close()
  }
  let asked = 0
  return {
    id: identity.nodeId,
    identity,
    address: network.addresses()[0] ?? '',
    models: cards.length,
    membership,
    candidates: id => matcher.candidates({ kind: 'model', id }, []),
    failover: candidates => createFailoverModel(candidates, { clock, breakers, calls }),
    outstanding: name => calls.outstanding(name),
    async ask(question, requestOptions, signal) {
      const task: Task = {
        id: `${identity.nodeId}-${asked++}`,
        messages: [{ role: 'user', content: question }],
        options: requestOptions,
        budget: {},
        preference: { quality: 1, cost: 0, latency: 0.01 },
      }
      const run = coordinator.ask(task, signal ? { signal } : {})
      let step = await run.next()
      while (!step.done) step = await run.next()
      return step.value
    },
    async leave() {
      membership.drain()
      const busy = (): boolean => cards.some(card => admission.status(card).running + admission.status(card).queued > 0)
      // as the node of the product: the others may not have heard of it before one exchange
      await clock.sleep(STATUS_MS)
      while (busy()) await clock.sleep(IDLE_CHECK_MS)
      await stop()
    },
    async kill() {
      hub.kill(identity.nodeId)
      await stop()
    },
  }
}

/** The same model as another node offers it. */
const at = (model: LanguageModel, node: string): LanguageModel => ({
  ...model,
  card: { ...model.card, node },
  generate: (request: GenerateRequest, options?: CallOptions) => model.generate(request, options),
})

const observed = (model: LanguageModel, onBegin: () => void): LanguageModel => ({
  ...model,
  generate(request: GenerateRequest, options?: CallOptions) {
    onBegin()
    return model.generate(request, options)
  },
})

/** Waits until it holds; rejects after `ms`. Resolves with the milliseconds it took. */
export async function until(what: string, holds: () => boolean, ms = 30_000): Promise<number> {
  const start = clock.monotonic()
  while (!holds()) {
    if (clock.monotonic() - start > ms) throw new Error(`${what}: not within ${ms} ms`)
    await clock.sleep(5)
  }
  return Math.round(clock.monotonic() - start)
}

/** True when each of them sees all of them alive, with their models. */
export const seesAll = (nodes: readonly BenchNode[]): boolean =>
  nodes.every(node => nodes.every(other => isAlive(node, other)))

export const isAlive = (node: BenchNode, other: BenchNode): boolean =>
  node.membership
    .entries()
    .some(({ nodeId, state, cards }) => nodeId === other.id && state === 'alive' && cards.length === other.models)

/** Milliseconds to the next of events that come at random, `perSecond` on average. */
export const nextArrivalMs = (uniform: number, perSecond: number): number => (-Math.log(1 - uniform) / perSecond) * 1000

/** The value below which the given share of the values lies; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
