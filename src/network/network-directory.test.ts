import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelCard } from '../protocol/index.ts'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { silentLogger } from '../utils/logger.ts'
import { createRandom } from '../utils/random.ts'
import { createAds } from './ads/ads.ts'
import { createIdentity } from './identity.ts'
import { createMembership, type Membership } from './membership/membership.ts'
import { createNetworkDirectory, type NetworkDirectory, type NetworkDirectoryOptions } from './network-directory.ts'
import { createMemoryHub, type MemoryHub } from './networks/memory.ts'
import { createPeerLinks, type PeerLinks } from './peer-links.ts'
import type { PeerRouter } from './peer-router.ts'

interface Node {
  readonly nodeId: string
  readonly addresses: readonly string[]
  readonly links: PeerLinks
  readonly membership: Membership
  readonly directory: NetworkDirectory
}

let clock: ManualClock
let hub: MemoryHub
const world: string[] = []
const nodes: Node[] = []

/** Any order will do that all nodes agree on for a key. */
const router: PeerRouter = {
  async *find(key) {
    const at = (peer: string): string => createHash('sha256').update(key).update(peer).digest('hex')
    for (const peer of world.toSorted((a, b) => (at(a) < at(b) ? -1 : 1)).slice(0, 20)) yield { peer, kind: 'closest' }
  },
}

async function start(name: string, options: NetworkDirectoryOptions): Promise<Node> {
  const identity = createIdentity()
  const { nodeId } = identity
  const network = hub.createNetwork({ identity })
  await network.start()
  const components = { network, identity, clock, logger: silentLogger, random: createRandom(name) }
  let isEager = options.discovery !== 'ads'
  const links = createPeerLinks(components, { eager: () => isEager })
  const issuedAt = Math.floor(clock.now() / 1000)
  const card: ModelCard = {
    version: 1,
    id: `lab/${name}`,
    node: nodeId,
    description: 'a model',
    tags: ['skill:test'],
    capabilities: ['generate'],
    contextLength: 512,
    engine: 'scripted',
    issuedAt,
    expiresAt: issuedAt + 3600,
  }
  const membership = await createMembership(
    { ...components, links },
    {
      cards: [card],
      bootstrap: nodes[0]?.addresses ?? [],
      scope: options.discovery === 'ads' ? 'partners' : 'all',
    },
  )
  const startAds = async () => {
    isEager = false
    for (const peer of world) network.learn(peer, [`/memory/${peer}/p2p/${peer}`])
    return createAds({ ...components, links, router, addresses: () => network.addresses() })
  }
  world.push(nodeId)
  const directory = createNetworkDirectory({ membership, startAds, clock, logger: silentLogger }, options)
  const node: Node = { nodeId, addresses: network.addresses(), links, membership, directory }
  nodes.push(node)
  return node
}

async function pass(ms: number, until: () => boolean = () => false): Promise<boolean> {
  for (let passed = 0; passed < ms; passed += 50) {
    if (until()) return true
    await clock.advance(50)
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setTimeout(resolve, 1)) // signatures are checked on other threads
  }
  return until()
}

async function startAll(count: number, options: NetworkDirectoryOptions): Promise<readonly Node[]> {
  for (let index = 0; index < count; index++) await start(`m${index}`, options)
  return [...nodes]
}

const modes = (): readonly string[] => nodes.map(({ directory }) => directory.mode)
const sees = (node: Node, other: Node): boolean =>
  node.directory.entry(other.nodeId)?.state === 'alive' && node.directory.entry(other.nodeId)?.cards.length === 1

describe('createNetworkDirectory', { timeout: 60_000 }, () => {
  clock = createManualClock()
  hub = createMemoryHub({ clock })
  afterEach(async () => {
    const closing = Promise.all(
      nodes.splice(0).map(async ({ directory, membership, links }) => {
        await directory.close()
        await membership.close()
        await links.close()
      }),
    )
    await pass(10_000)
    await closing
    world.length = 0
    clock = createManualClock()
    hub = createMemoryHub({ clock })
  })

  it('knows every member of a small network and never searches', async () => {
    const all = await startAll(5, { gossipedMembers: 5 })
    expect(await pass(5000, () => all.every(node => all.every(other => sees(node, other))))).toBe(true)
    await pass(10_000)
    expect(modes()).toEqual(all.map(() => 'gossip'))
    await all[0]?.directory.seek(['model:lab/unknown']) // at once, without any time passing
  })

  it('goes over to ads when there is one member too many, lets most go, and finds each again when it is needed', async () => {
    const all = await startAll(9, { gossipedMembers: 8 })
    expect(await pass(10_000, () => modes().every(mode => mode === 'ads'))).toBe(true)
    expect(await pass(20_000, () => all.every(({ directory }) => directory.entries().length < 9))).toBe(true)
    const [first] = all
    for (const [index, other] of all.entries()) {
      if (!first || other === first) continue
      const seeking = first.directory.seek([`model:lab/m${index}`])
      await pass(4000, () => sees(first, other))
      await seeking
      expect(sees(first, other)).toBe(true)
    }
  })

  it('stays with gossip where that is said, whatever the size', async () => {
    const all = await startAll(6, { discovery: 'gossip', gossipedMembers: 3 })
    expect(await pass(10_000, () => all.every(node => all.every(other => sees(node, other))))).toBe(true)
    await pass(5000)
    expect(modes()).toEqual(all.map(() => 'gossip'))
  })

  it('does not follow one node of many that says ads are used', async () => {
    await startAll(4, { gossipedMembers: 50 })
    await pass(3000)
    await start('odd', { discovery: 'ads', gossipedMembers: 50 })
    await pass(10_000)
    expect(modes()).toEqual(['gossip', 'gossip', 'gossip', 'gossip', 'ads'])
  })

  it('ends a search that finds nobody, and one whose request is over', async () => {
    await startAll(3, { discovery: 'ads', gossipedMembers: 50 })
    await pass(5000)
    const [first] = nodes
    let isOver = false
    const inVain = first?.directory.seek(['model:lab/nobody']).then(() => {
      isOver = true
    })
    expect(await pass(3000, () => isOver)).toBe(false)
    expect(await pass(3000, () => isOver)).toBe(true)
    await inVain
    const request = new AbortController()
    const given = first?.directory.seek(['model:lab/no-one'], request.signal)
    const outcome = given?.catch(error => error.message)
    request.abort(new Error('the client went away'))
    await pass(200)
    expect(await outcome).toBe('the client went away')
  })
})
