import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createIdentity,
  createMembership,
  createMemoryHub,
  createPeerLinks,
  type Membership,
  type MemoryHub,
} from '../../network/index.ts'
import type { ModelCard } from '../../protocol/index.ts'
import { createScriptedCard } from '../../testing/scripted-model.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createRandom } from '../../utils/random.ts'
import { createWeightsCache } from '../weights/cache.ts'
import { createWeightsHandlers } from '../weights/server.ts'
import { createWeightsStore } from '../weights/store.ts'
import { createCatalogue } from './catalogue.ts'
import { createDeployer, type Deployer } from './deployer.ts'
import { createDeploymentHost, type DeploymentHost, type ModelRunner } from './host.ts'

const weights = Buffer.alloc(700_000, 'weights')
const digest = `sha256:${createHash('sha256').update(weights).digest('hex')}`
const FREE = 1e9
/** What a model of these weights is counted as: 100 MB for the engine, and its caches. */
const ONE_MODEL = 150e6

interface Node {
  readonly id: string
  readonly membership: Membership
  readonly deployer: Deployer
  readonly host: DeploymentHost
  /** Models started here, in order. */
  readonly starts: string[]
  readonly idle: Map<string, number>
  offer(...ids: string[]): Promise<void>
  close(): Promise<void>
}

let hub: MemoryHub
const nodes: Node[] = []
afterEach(async () => void (await Promise.all(nodes.splice(0).map(node => node.close()))))

interface NodeOptions {
  readonly allow?: boolean
  readonly share?: boolean
  /** Has the weights on its disk. */
  readonly has?: boolean
  readonly budgetBytes?: number
  readonly idleMs?: number
  readonly failures?: number
  /** The engine finds other bytes than the digest says in the first files it is given. */
  readonly spoiled?: number
}

/** A node of the layers below the application, on a network in memory; its engine only takes notes. */
async function start(bootstrap: readonly Node[], options: NodeOptions = {}): Promise<Node> {
  const {
    allow = false,
    share = true,
    has = false,
    budgetBytes = FREE,
    idleMs = 60_000,
    failures = 0,
    spoiled = 0,
  } = options
  const identity = createIdentity()
  const network = hub.createNetwork({ identity })
  await network.start()
  const shared = { clock: systemClock, logger: silentLogger }
  const links = createPeerLinks({ ...shared, network })
  const membership = await createMembership(
    { ...shared, network, links, identity, random: createRandom(identity.nodeId) },
    { bootstrap: bootstrap.flatMap(({ membership }) => membership.entries()[0]?.addresses ?? []) },
  )
  const directory = mkdtempSync(join(tmpdir(), 'modelnet-deploy-'))
  writeFileSync(join(directory, 'own.gguf'), weights)
  const own = new Map(has ? [[digest, join(directory, 'own.gguf')]] : [])
  const cache = createWeightsCache({ directory: join(directory, 'weights'), quotaBytes: 1e8, clock: systemClock })
  const holders = () =>
    membership
      .entries()
      .filter(entry => !entry.self && entry.state === 'alive')
      .map(({ nodeId: peer }) => ({ peer, channel: () => links.channel(peer) }))
  const store = createWeightsStore({ ...shared, cache, own: () => own, holders })
  const offered = new Set<string>()
  const starts: string[] = []
  const idle = new Map<string, number>()
  const card = (id: string): ModelCard =>
    createScriptedCard({
      id,
      node: identity.nodeId,
      card: { weights: { format: 'gguf', digest, bytes: weights.length }, ...times() },
    })
  const announce = (): Promise<void> => membership.announce([...offered].map(card))
  let refusing = 0
  const runner: ModelRunner = {
    isRunning: id => offered.has(id),
    async start(spec) {
      starts.push(spec.id)
      await systemClock.sleep(20)
      if (refusing-- > 0) throw new ModelNetError('INVALID_MODEL_FILE', 'its digest is another')
      if (starts.length <= failures) throw new ModelNetError('ENGINE_FAILED', 'the engine does not like it')
      offered.add(spec.id)
      await announce()
    },
    async stop(id) {
      refusing = spoiled // what lies in the cache meanwhile is spoiled
      offered.delete(id)
      await announce()
    },
    idleMs: id => idle.get(id) ?? 0,
    calls: () => 0,
  }
  const catalogue = createCatalogue(membership, [])
  const memory = () => ({ totalBytes: 4e9, availableBytes: 3e9 })
  const host = createDeploymentHost({ ...shared, catalogue, store, runner, memory }, { allow, budgetBytes, idleMs })
  const deployer = createDeployer({ ...shared, self: identity.nodeId, directory: membership, links, catalogue, host })
  const find = async (wanted: string): Promise<string | undefined> => (share ? store.find(wanted) : undefined)
  links.serve({ ...host.handlers, ...deployer.handlers, ...createWeightsHandlers({ find, clock: systemClock }) })
  const node: Node = {
    id: identity.nodeId,
    membership,
    deployer,
    host,
    starts,
    idle,
    async offer(...ids) {
      offered.clear()
      for (const id of ids) offered.add(id)
      await announce()
    },
    async close() {
      await host.close()
      await membership.close()
      await links.close()
      await network.close()
    },
  }
  nodes.push(node)
  return node
}

const times = () => {
  const issuedAt = Math.floor(Date.now() / 1000)
  return { issuedAt, expiresAt: issuedAt + 3600 }
}
const seen = (node: Node, id: string): readonly string[] =>
  node.membership
    .entries()
    .filter(({ cards }) => cards.some(card => card.id === id))
    .map(({ nodeId }) => nodeId)
/** All of them see who offers the model. */
const untilAll = (id: string, holders: readonly Node[]): Promise<void> =>
  expect
    .poll(() => nodes.map(node => seen(node, id).toSorted().join()), { timeout: 20_000 })
    .toEqual(
      nodes.map(() =>
        holders
          .map(node => node.id)
          .toSorted()
          .join(),
      ),
    )
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    error => error.code,
  )

/** A first node with the weights that has offered models and offers them no more, and others that saw it. */
async function network(
  first: NodeOptions,
  ...others: readonly NodeOptions[]
): Promise<readonly [Node, Node, ...Node[]]> {
  hub = createMemoryHub({ clock: systemClock })
  const origin = await start([], { has: true, ...first })
  const rest: Node[] = []
  for (const options of others) rest.push(await start([origin], options))
  await origin.offer('lab/a', 'lab/b')
  await untilAll('lab/a', [origin])
  await origin.offer()
  await untilAll('lab/a', [])
  return [origin, ...rest] as unknown as readonly [Node, Node, ...Node[]] // padded in type only
}

describe('deployment on demand', () => {
  it('starts a model that nobody runs once, however many ask at however many nodes', async () => {
    const [origin, one, two, three] = await network({}, { allow: true }, { allow: true }, {})
    const askers = [origin, one, two, three].filter(node => node !== undefined)
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => askers[index % 4]?.deployer.ensure('lab/a')))
    expect(askers.flatMap(({ starts }) => starts)).toEqual(['lab/a'])
    expect(new Set(all.map(deployed => deployed?.node)).size).toBe(1)
    for (const node of askers) expect(node.deployer.isLive('lab/a')).toBe(true)
    expect(all.some(deployed => deployed?.movedBytes === weights.length)).toBe(true)
  })

  it('moves no byte when the model is started again where its weights lie', async () => {
    const [, one] = await network({}, { allow: true, idleMs: 200 })
    expect((await one.deployer.ensure('lab/a')).movedBytes).toBe(weights.length)
    one.idle.set('lab/a', 1000)
    await untilAll('lab/a', [])
    one.idle.clear()
    expect(await one.deployer.ensure('lab/a')).toEqual({ id: 'lab/a', node: one.id, movedBytes: 0, started: true })
    expect(one.host.deployed().size).toBe(1)
  })

  it('brings weights anew when the engine refuses those in the cache', async () => {
    const [, one] = await network({}, { allow: true, idleMs: 200, spoiled: 1 })
    await one.deployer.ensure('lab/a')
    one.idle.set('lab/a', 1000)
    await untilAll('lab/a', [])
    one.idle.clear()
    expect(await one.deployer.ensure('lab/a')).toMatchObject({ movedBytes: weights.length, started: true })
    expect(one.starts).toHaveLength(3)
  })

  it('answers with the holder when the model runs already, and starts none', async () => {
    const [origin, one] = await network({}, { allow: true })
    await origin.offer('lab/a')
    await untilAll('lab/a', [origin])
    expect(await one.deployer.ensure('lab/a')).toMatchObject({ node: origin.id, started: false })
    expect(one.starts).toEqual([])
  })

  it('goes to the next host when the first cannot run it', async () => {
    const [, one, two] = await network({}, { allow: true, has: true, failures: 9 }, { allow: true })
    expect(await one.deployer.ensure('lab/a')).toMatchObject({ node: two?.id, started: true })
    expect(one.starts).toEqual(['lab/a'])
    expect(one.host.deployed().size).toBe(0)
  })

  it('asks nobody for more memory than it has to give, counting what is still being loaded', async () => {
    const [origin, one] = await network({}, { allow: true, budgetBytes: ONE_MODEL })
    const both = await Promise.allSettled([origin.deployer.ensure('lab/a'), origin.deployer.ensure('lab/b')])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(one.starts).toHaveLength(1)
    const failed = both.find(result => result.status === 'rejected')
    expect(failed?.reason).toMatchObject({ code: 'NO_CANDIDATE' })
  })

  it.each([
    ['no node allows it', [{}, {}], 'lab/a', 'FORBIDDEN'],
    ['nobody ever heard of the model', [{}, { allow: true }], 'lab/none', 'MODEL_NOT_FOUND'],
    ['no node gives the weights', [{ share: false }, { allow: true }], 'lab/a', 'NO_CANDIDATE'],
  ] as const)('says so when %s', async (_, options, id, code) => {
    const [first, ...rest] = options
    const [, one] = await network(first, ...rest)
    expect(await codeOf(one.deployer.ensure(id))).toBe(code)
  })

  it('starts it at the node that is named, and only where that is allowed', async () => {
    const [origin, one, two] = await network({}, { allow: true }, { allow: true })
    expect(await origin.deployer.ensure('a', { node: two?.id ?? '' })).toMatchObject({ node: two?.id, id: 'lab/a' })
    expect(one.starts).toEqual([])
    expect(await codeOf(one.deployer.ensure('lab/a', { node: origin.id }))).toBe('FORBIDDEN')
  })

  it('runs no other weights under a known name, whoever announces them', async () => {
    const [, one] = await network({}, { allow: true })
    expect(await codeOf(one.host.start('lab/a', `sha256:${'0'.repeat(64)}`))).toBe('FORBIDDEN')
    expect(await one.host.bid('lab/a', `sha256:${'0'.repeat(64)}`)).toMatchObject({ willing: false })
  })

  it('lets one who waits go, and goes on for the others', async () => {
    const [origin, one] = await network({}, { allow: true })
    const leaving = AbortSignal.abort(new ModelNetError('CANCELLED', 'gone'))
    expect(await codeOf(origin.deployer.ensure('lab/a', { signal: leaving }))).toBe('CANCELLED')
    const controller = new AbortController()
    const [left, stayed] = [
      origin.deployer.ensure('lab/a', { signal: controller.signal }),
      origin.deployer.ensure('lab/a'),
    ]
    controller.abort(new ModelNetError('CANCELLED', 'gone'))
    expect(await codeOf(left)).toBe('CANCELLED')
    expect(await stayed).toMatchObject({ node: one.id })
  })
})
