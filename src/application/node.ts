import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  type AskResult,
  AUTO,
  type Coordinator,
  createCoordinator,
  createNetworkEmbedder,
  type Failover,
  type PathwayEvent,
} from '../interaction/index.ts'
import { type Directory, loadIdentity, type NetworkDirectory } from '../network/index.ts'
import { createAdmission, createModelHandlers, createRemoteModel, type ModelCard } from '../resource/index.ts'
import {
  createCallRecord,
  createCapabilityMap,
  createCircuitBreakers,
  createFailoverModel,
  createMatcher,
  createTaskAnalyser,
  forgetReturned,
  type Task,
} from '../service/index.ts'
import { type Clock, systemClock } from '../utils/clock.ts'
import { createRandom } from '../utils/random.ts'
import { noTracing, type Tracing } from '../utils/tracing.ts'
import { listStrategies, toAsker, traced } from './asking.ts'
import { createClosing } from './closing.ts'
import type { NodeConfig } from './config-schema.ts'
import { createDeployment } from './deployment.ts'
import { routeDeployment } from './deployment-routes.ts'
import { withDiscovery, withEmbeddingDiscovery } from './discovery.ts'
import { createEngines } from './engines.ts'
import { serveChannel } from './gateway/channel.ts'
import { routeDrain } from './gateway/drain.ts'
import { routeLearning } from './gateway/learning-routes.ts'
import { createGateway } from './gateway/server.ts'
import { startLearning } from './learning/learning.ts'
import { finishWork } from './leave.ts'
import { toModelPlan } from './local-models.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import type { Subjects } from './network-schema.ts'
import { createNodeNetwork } from './node-network.ts'
import { createNodeWeights } from './node-weights.ts'
import { createOffers } from './offers.ts'
import { createOwnModels } from './own-models.ts'
import { guardCalls, permits } from './policy.ts'
import { createTaskRefinement } from './refinement.ts'
import { withEmbeddingRefusals, withRefusals } from './refusals.ts'

export interface NodeOptions {
  /** Ends the start when aborted. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Follows requests through the network. @default spans to `tracing.endpoint` of the configuration, if there is one */
  readonly tracing?: Tracing
  /** A process of `startInferenceProcess`, for a node that shall serve soon. @default started with the first model */
  readonly inference?: ChildProcess
}

export interface NodeAskOptions {
  /** A model, `model@node`, strategy or pathway term. @default the network chooses */
  readonly pathway?: string
  readonly budget?: Task['budget']
  readonly signal?: AbortSignal
  /** Told of every step while the answer is made. */
  readonly onEvent?: (event: PathwayEvent) => void
}

/** A running participant of a network. */
export interface Node {
  readonly id: string
  /** Multiaddrs at which peers reach it. */
  readonly addresses: readonly string[]
  /** `http://127.0.0.1:8747`, without `/v1`. */
  readonly gatewayUrl: string
  /** Ids of its own models; they may come and go. */
  readonly models: readonly string[]
  /** Who is known, and whether members are gossiped or found through ads. */
  readonly directory: Directory & Pick<NetworkDirectory, 'mode'>
  /** Asks the network through this node. */
  ask(question: string, options?: NodeAskOptions): Promise<AskResult>
  /**
   * Leaves: tells the others to send no more work, lets what runs finish, says goodbye and frees everything. Answers
   * that another node can go on with are waited for 5 s, others as long as a request may take, or `graceMs` if given.
   * May be called twice.
   */
  close(graceMs?: number): Promise<void>
  /** Resolves when it has left, by `close` or because it was told to through its gateway. */
  readonly left: Promise<void>
}

/** How often the load is read; membership tells it only when it has changed. */
const STATUS_INTERVAL_MS = 200
/** Time that running work has to end here, when it could go on elsewhere. */
const LEAVE_GRACE_MS = 5000

/**
 * Puts a node together from a configuration and starts it: identity, network, models, membership, coordinator and
 * gateway, in this order. When a step fails, the steps before it are undone and its error is thrown.
 */
export async function createNode(config: NodeConfig, options: NodeOptions = {}): Promise<Node> {
  const { clock = systemClock, signal } = options
  const logger = createLogger(config.logLevel, { node: config.name })
  const closing = createClosing(logger)
  try {
    const { endpoint } = config.tracing
    const telemetry = endpoint === undefined ? undefined : (await import('./telemetry.ts')).startTelemetry(endpoint)
    if (telemetry) closing.add('the telemetry', () => telemetry.close())
    const tracing = options.tracing ?? telemetry?.tracing ?? noTracing
    const identity = await loadIdentity(join(config.dataDir, 'identity.pem'))
    const random = createRandom(identity.nodeId)
    const engines = createEngines({ logger, ...(options.inference && { inference: options.inference }) })
    closing.add('the engines', () => engines.close())
    const participation = await createNodeNetwork({ identity, clock, random, logger, closing }, config)
    const { network } = participation
    const admission = createAdmission({ clock })
    const plans = config.models.map(toModelPlan)
    const weights = createNodeWeights({ clock, logger }, config)
    const allowed = (id: string): Subjects | undefined =>
      config.models[plans.findIndex(({ spec }) => spec.id === id)]?.allow ?? config.policy.serve
    const models = createOwnModels({ engines, node: identity.nodeId, admission, allowed, clock, logger })
    closing.add('the models', () => models.close())
    const links = participation.link()
    const policy = { serve: config.policy.serve, models: models.list, domainOf: links.domain }
    links.serve(guardCalls(createModelHandlers(models.list, { admission, clock, tracing }), policy))
    // It becomes a member while its models start: a peer that dials a node which serves nothing yet comes back late.
    const obtained = weights.obtain(plans, signal)
    const loading = obtained.then(found => models.load(found, signal))
    const joining = network.start().then(() => participation.join(links))
    // Settled together, so that nothing is still starting while the rest is closed for the failure of one.
    await Promise.allSettled([loading, joining])
    const { membership, directory } = await joining
    await loading
    await membership.announce(models.cards())
    models.announceWith(cards => membership.announce(cards))
    const telling = setInterval(
      () => membership.setStatus({ models: models.cards().map(card => admission.status(card)) }),
      STATUS_INTERVAL_MS,
    )
    closing.add('the status', () => clearInterval(telling))

    const abilities = createCapabilityMap({ clock })
    const describe = ({ nodeId }: { readonly nodeId: string }): void => {
      for (const card of membership.entry(nodeId)?.cards ?? []) abilities.describe(card)
    }
    for (const entry of membership.entries()) describe(entry)
    closing.add('the map', membership.onChange(describe))
    const breakers = createCircuitBreakers({ clock })
    closing.add('the circuit breakers', forgetReturned(membership, breakers))
    const calls = createCallRecord({ clock })
    const mayAsk = (card: ModelCard): boolean =>
      card.node === identity.nodeId ||
      (permits(config.policy.ask, { node: card.node, domain: links.domain(card.node) }) &&
        permits(card.allow, { node: identity.nodeId, domain: participation.domain }))
    const offers = createOffers({
      directory: membership,
      get local() {
        return models.admitted()
      },
      remote: card => createRemoteModel({ card, channel: () => links.channel(card.node), clock, tracing }),
      mayAsk,
    })
    const analyser = createTaskAnalyser()
    const matcher = createMatcher({ offers, abilities, breakers, calls })
    const failover: Failover = (candidates, onSwitch) =>
      createFailoverModel(candidates, { clock, breakers, calls, onSwitch })
    const embed = withEmbeddingDiscovery(createNetworkEmbedder({ matcher, failover }), directory)
    const refine = createTaskRefinement(
      { analyser, matcher, failover, embed, directory: membership, clock },
      config.service,
    )
    const coordinator = createCoordinator({
      matcher,
      abilities,
      analyser,
      failover,
      ...(refine && { refine }),
      clock,
      random,
      logger,
    })
    const { inspect } = coordinator
    const learning = await startLearning(
      { identity, offers, matcher, inspect, embed, abilities, analyser, clock, random, logger },
      config,
    )
    closing.add('what was learned', () => learning.close())
    const deployment = createDeployment(
      {
        nodeId: identity.nodeId,
        membership,
        links,
        models,
        cache: weights.cache,
        admission,
        clock,
        logger,
        guard: calls => guardCalls(calls, policy),
      },
      config,
      await obtained,
    )
    closing.add('the deployment', () => deployment.close())
    const found = withDiscovery(deployment.onDemand(coordinator), { inspect, analyser, directory })
    const rules = {
      inspect,
      cards: () => membership.entries().flatMap(entry => (entry.state === 'alive' ? entry.cards : [])),
      mayAsk,
    }
    const open = withRefusals(found, rules)
    const asked = learning.wrap(open)
    const left = createSignal()
    const gateway = await createGateway(
      {
        ask: traced(toAsker(asked, coordinator), tracing),
        embed: withEmbeddingRefusals(embed, rules),
        metrics: createMetrics(membership),
        strategies: () => listStrategies(coordinator),
        directory: membership,
        logger,
        routes(app) {
          routeDeployment(app, deployment, () => membership.entries().map(entry => entry.nodeId))
          const calls = createModelHandlers(models.list, { admission, clock, tracing })
          serveChannel(app, { calls, cards: models.cards, keys: config.gateway.keys, clock, logger })
          routeLearning(app, learning, { hasKeys: config.gateway.keys.length > 0 })
          routeDrain(app, () => void close(), { hasKeys: config.gateway.keys.length > 0 })
        },
      },
      config.gateway,
    )
    closing.add('the gateway', () => gateway.close())
    const leave = async (mostMs: number): Promise<void> => {
      membership.drain()
      await finishWork(
        { clock, closeGateway: ms => gateway.close(ms), busy: models.busy, directory: membership },
        { graceMs: LEAVE_GRACE_MS, mostMs },
      )
      await closing.run()
    }
    let leaving: Promise<void> | undefined
    const close = (graceMs = config.gateway.deadlineMs): Promise<void> => {
      leaving ??= leave(graceMs).finally(left.resolve)
      return leaving
    }
    await membership.ready
    return {
      id: identity.nodeId,
      addresses: network.addresses(),
      gatewayUrl: gateway.url,
      get models() {
        return models.cards().map(card => card.id)
      },
      directory,
      ask: (question, options = {}) => ask(asked, question, options),
      left: left.promise,
      close,
    }
  } catch (error) {
    await closing.run()
    throw error
  }
}

function createSignal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** What a request values when it does not say. */
const PREFERENCE: Task['preference'] = { quality: 1, cost: 0, latency: 0.01 }

async function ask(
  coordinator: Pick<Coordinator, 'ask'>,
  question: string,
  options: NodeAskOptions,
): Promise<AskResult> {
  const { pathway = AUTO, budget = {}, signal, onEvent } = options
  const task: Task = {
    id: randomUUID(),
    messages: [{ role: 'user', content: question }],
    options: {},
    budget,
    preference: PREFERENCE,
  }
  const run = coordinator.ask(task, { pathway, ...(signal && { signal }) })
  let step = await run.next()
  for (; !step.done; step = await run.next()) onEvent?.(step.value)
  return step.value
}
