import { createHash } from 'node:crypto'
import { type CallHandlers, callOnce, type Directory, type PeerLinks, TokenBuckets } from '../../network/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { type ErrorCode, ModelNetError, toModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import { place } from '../placement.ts'
import { type Catalogue, type DeployableModel, needOf } from './catalogue.ts'
import type { DeploymentHost } from './host.ts'
import {
  type Bid,
  BidSchema,
  DEPLOY_METHODS,
  type Deployed,
  DeployedSchema,
  RequestBodySchema,
  readDeploy,
  type Started,
  StartedSchema,
} from './messages.ts'

export interface DeployerComponents {
  readonly self: string
  readonly directory: Directory
  readonly links: PeerLinks
  readonly catalogue: Catalogue
  readonly host: DeploymentHost
  readonly clock: Clock
  readonly logger: Logger
}

export interface EnsureOptions {
  /** The node that shall run it. @default the most suitable */
  readonly node?: string
  /** Ends the waiting; what was begun goes on for the others. */
  readonly signal?: AbortSignal
}

/** Sees to it that a model runs somewhere. */
export interface Deployer {
  readonly handlers: CallHandlers
  /** A live node offers it, as far as this node knows. */
  isLive(id: string): boolean
  /**
   * Resolves when a live node offers the model and this node sees it. Rejects with MODEL_NOT_FOUND for a model nobody
   * heard of, with FORBIDDEN when no node may start it, and with NO_CANDIDATE when none that may can.
   */
  ensure(id: string, options?: EnsureOptions): Promise<Deployed>
}

/** Nodes that are asked for a bid, and that are tried as judges. */
const MAX_BIDDERS = 16
const MAX_ARBITERS = 3
/** Hosts that are tried before it is given up. */
const MAX_TRIES = 3
const BID_DEADLINE_MS = 4000
/** Weights may have to travel. */
const START_DEADLINE_MS: number = 30 * 60 * 1000
const VISIBLE_MS = 30_000
/** After a refusal nobody is asked again for so long. */
const REFUSED_MS = 3000
const REQUESTS = { burst: 32, perSecond: 2 }
/** The node cannot judge; another one can. */
const ASK_ANOTHER: ReadonlySet<ErrorCode> = new Set([
  'UNSUPPORTED',
  'MODEL_NOT_FOUND',
  'PEER_LOST',
  'PEER_UNREACHABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'OVERLOADED',
])

/**
 * Deployment on demand. However many nodes ask for a model at once, one of them decides: all send the request to the
 * live node whose id, hashed with the model's, is the greatest (rendezvous hashing), and that one starts it once. It
 * asks for bids, and gives the model to the host that `place` chooses.
 */
export function createDeployer(components: DeployerComponents): Deployer {
  const { self, directory, links, catalogue, host, clock, logger } = components
  const requests = new TokenBuckets(clock, REQUESTS)
  const ensuring = new Map<string, Promise<Deployed>>()
  const arbitrating = new Map<string, Promise<Deployed>>()
  const refused = new Map<string, { readonly at: number; readonly error: ModelNetError }>()

  const alive = (): readonly string[] =>
    directory
      .entries()
      .filter(entry => entry.state === 'alive' && entry.status?.draining !== true)
      .map(({ nodeId }) => nodeId)
  const holderOf = (id: string, node?: string): string | undefined =>
    directory
      .entries()
      .find(
        entry =>
          entry.state === 'alive' &&
          entry.status?.draining !== true &&
          (node === undefined || entry.nodeId === node) &&
          entry.cards.some(card => card.id === id),
      )?.nodeId

  const ask = async (peer: string, method: string, body: object, deadlineMs: number): Promise<unknown> =>
    callOnce(await links.channel(peer), method, body, { deadlineMs })

  const bidOf = async (peer: string, { id, digest }: DeployableModel): Promise<Bid> =>
    peer === self
      ? host.bid(id, digest)
      : readDeploy(BidSchema, await ask(peer, DEPLOY_METHODS.bid, { id, digest }, BID_DEADLINE_MS), 'PROTOCOL_ERROR')
  const startAt = async (peer: string, { id, digest }: DeployableModel): Promise<Started> =>
    peer === self
      ? host.start(id, digest)
      : readDeploy(
          StartedSchema,
          await ask(peer, DEPLOY_METHODS.start, { id, digest }, START_DEADLINE_MS),
          'PROTOCOL_ERROR',
        )

  const find = (id: string): DeployableModel => {
    const model = catalogue.find(id)
    if (!model) throw new ModelNetError('MODEL_NOT_FOUND', `no node offers a model named ${id}, and none is known to`)
    return model
  }

  /** Bids of this node and of those that are best linked. */
  const collectBids = async (model: DeployableModel): Promise<ReadonlyMap<string, Bid>> => {
    const rtt = (node: string): number => directory.entry(node)?.rttMs ?? Number.POSITIVE_INFINITY
    const asked = alive().toSorted((a, b) => rtt(a) - rtt(b)) // this node is its own nearest
    const bids = new Map<string, Bid>()
    await Promise.all(
      asked.slice(0, MAX_BIDDERS).map(async node => {
        const bid = await bidOf(node, model).catch(error =>
          logger.debug({ peer: node, model: model.id, reason: String(error) }, 'no bid'),
        )
        if (bid) bids.set(node, bid)
      }),
    )
    return bids
  }

  const arbitrate = async (model: DeployableModel): Promise<Deployed> => {
    const { id } = model
    const live = holderOf(id)
    if (live !== undefined) return { id, node: live, movedBytes: 0, started: false }
    const bids = await collectBids(model)
    for (const [node, bid] of bids) if (bid.running) return { id, node, movedBytes: 0, started: false }
    const need = { id, bytes: needOf(model) }
    let hosts = [...bids]
      .filter(([, bid]) => bid.willing)
      .map(([node, { freeBytes, load, cached }]) => ({ id: node, freeBytes, load, cached: cached ? [id] : [] }))
    if (hosts.length === 0)
      throw new ModelNetError(
        'FORBIDDEN',
        `${id} runs nowhere, and none of ${bids.size} nodes asked may start it (\`deploy.allow\`)`,
      )
    let why = `none has ${need.bytes} bytes of memory free`
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const node = place([need], hosts).get(id)
      if (node === undefined) break
      try {
        return { id, node, started: true, ...(await startAt(node, model)) }
      } catch (error) {
        why = `${node} could not: ${toModelNetError(error).message}`
        logger.warn({ model: id, node, reason: String(error) }, 'a deployment failed')
        hosts = hosts.filter(other => other.id !== node)
      }
    }
    throw new ModelNetError('NO_CANDIDATE', `${id} runs nowhere, and of ${bids.size} nodes asked to start it ${why}`)
  }

  const arbitrateOnce = (id: string): Promise<Deployed> => {
    const before = refused.get(id)
    if (before && clock.monotonic() - before.at < REFUSED_MS) throw before.error
    refused.delete(id)
    const model = find(id)
    const shared = arbitrating.get(id) ?? arbitrate(model).finally(() => arbitrating.delete(id))
    arbitrating.set(id, shared)
    shared.catch(error => refused.set(id, { at: clock.monotonic(), error: toModelNetError(error) }))
    return shared
  }

  /** Asks the node that decides on this model; the next in order when it cannot. */
  const request = async (id: string): Promise<Deployed> => {
    const rank = (node: string): string => createHash('sha256').update(`${id} ${node}`).digest('hex')
    const order = alive().toSorted((a, b) => rank(b).localeCompare(rank(a)))
    for (const node of order.slice(0, MAX_ARBITERS)) {
      if (node === self) break
      try {
        const answer = await ask(node, DEPLOY_METHODS.request, { id }, START_DEADLINE_MS)
        return readDeploy(DeployedSchema, answer, 'PROTOCOL_ERROR')
      } catch (thrown) {
        const error = toModelNetError(thrown)
        if (!ASK_ANOTHER.has(error.code)) throw error
        logger.debug({ peer: node, model: id, code: error.code }, 'cannot decide on a deployment')
      }
    }
    return arbitrateOnce(id)
  }

  const untilSeen = async (deployed: Deployed): Promise<Deployed> => {
    const { id, node } = deployed
    const timer = new AbortController()
    let unlisten = (): void => undefined
    const seen = new Promise<void>(resolve => {
      const look = (): void => {
        if (holderOf(id, node) !== undefined) resolve()
      }
      unlisten = directory.onChange(look)
      look()
    })
    const late = clock.sleep(VISIBLE_MS, timer.signal).then(
      () => {
        throw new ModelNetError('NO_CANDIDATE', `${node} started ${id}, but does not tell so`)
      },
      () => undefined, // seen in time
    )
    try {
      await Promise.race([seen, late])
      return deployed
    } finally {
      timer.abort()
      unlisten()
    }
  }

  const ensureAt = async (id: string, node: string): Promise<Deployed> => {
    const live = holderOf(id, node)
    if (live !== undefined) return { id, node, movedBytes: 0, started: false }
    return { id, node, started: true, ...(await startAt(node, find(id))) }
  }

  return {
    isLive: id => holderOf(id) !== undefined,
    async ensure(name, { node, signal } = {}) {
      signal?.throwIfAborted()
      const id = catalogue.find(name)?.id ?? name
      const live = node === undefined ? holderOf(id) : undefined
      if (live !== undefined) return { id, node: live, movedBytes: 0, started: false }
      const key = `${id}@${node ?? ''}`
      const begin = (): Promise<Deployed> => (node === undefined ? request(id) : ensureAt(id, node)).then(untilSeen)
      const shared = ensuring.get(key) ?? begin().finally(() => ensuring.delete(key))
      ensuring.set(key, shared)
      return signal ? whileWanted(shared, signal) : shared
    },
    handlers: {
      async *[DEPLOY_METHODS.request](body, _call, { peer }) {
        if (!requests.of(peer).take()) throw new ModelNetError('OVERLOADED', `${peer} asks for too many deployments`)
        yield await arbitrateOnce(readDeploy(RequestBodySchema, body, 'INVALID_REQUEST').id)
      },
    },
  }
}

function whileWanted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
