import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelCard } from '../../protocol/index.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createRandom } from '../../utils/random.ts'
import { createIdentity } from '../identity.ts'
import { createMembership } from '../membership/membership.ts'
import type { Network } from '../network.ts'
import { createMemoryHub, type MemoryHub } from '../networks/memory.ts'
import { createPeerLinks, type PeerLinks } from '../peer-links.ts'
import type { PeerRouter } from '../peer-router.ts'
import { type AdDirectory, createAdDirectory } from './ad-directory.ts'
import { createAds } from './ads.ts'

interface Node {
  readonly nodeId: string
  readonly network: Network
  readonly links: PeerLinks
  readonly directory: AdDirectory
}

const SKILL = 'skill:arithmetic'
const clock: ManualClock = createManualClock()
const hub: MemoryHub = createMemoryHub({ clock })
const world: string[] = []
const nodes: Node[] = []

/** Any order will do that all nodes agree on for a key. */
const router: PeerRouter = {
  async *find(key) {
    const at = (peer: string): string => createHash('sha256').update(key).update(peer).digest('hex')
    for (const peer of world.toSorted((a, b) => (at(a) < at(b) ? -1 : 1)).slice(0, 20)) yield { peer, kind: 'closest' }
  },
}

async function start(name: string): Promise<Node> {
  const identity = createIdentity()
  const { nodeId } = identity
  const network = hub.createNetwork({ identity })
  await network.start()
  const at = (peer: string): string[] => [`/memory/${peer}/p2p/${peer}`]
  for (const peer of world) network.learn(peer, at(peer))
  for (const node of nodes) node.network.learn(nodeId, at(nodeId))
  world.push(nodeId)
  const components = { network, identity, clock, logger: silentLogger, random: createRandom(name) }
  const links = createPeerLinks(components, { eager: false })
  const issuedAt = Math.floor(clock.now() / 1000)
  const card: ModelCard = {
    version: 1,
    id: name,
    node: nodeId,
    description: 'a model',
    tags: [SKILL],
    capabilities: ['generate'],
    contextLength: 512,
    engine: 'scripted',
    issuedAt,
    expiresAt: issuedAt + 3600,
  }
  const partners = await createMembership({ ...components, links }, { scope: 'partners', cards: [card] })
  const ads = createAds({ ...components, links, router, addresses: () => network.addresses() })
  const directory = createAdDirectory({ ads, partners, clock, logger: silentLogger })
  const node = { nodeId, network, links, directory }
  nodes.push(node)
  return node
}

async function pass(ms: number, until: () => boolean): Promise<boolean> {
  for (let passed = 0; passed < ms; passed += 50) {
    if (until()) return true
    await clock.advance(50)
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setTimeout(resolve, 1)) // signatures are checked on other threads
  }
  return until()
}

describe('createAdDirectory', () => {
  afterEach(async () => {
    const closing = Promise.all(
      nodes.splice(0).map(async ({ directory, links }) => {
        await directory.close()
        await links.close()
      }),
    )
    await pass(2000, () => false)
    await closing
    world.length = 0
  })

  it('shows the partners of the capabilities in use, with cards and life', async () => {
    const started: Node[] = []
    for (let index = 0; index < 12; index++) started.push(await start(`node-${index}`))
    const [first, second, third] = started
    const searcher = started[11]
    if (!first || !second || !third || !searcher) throw new Error('not started')
    await first.directory.offer({ capabilities: [SKILL], load: 0 })
    await second.directory.offer({ capabilities: [SKILL], load: 1 })
    await third.directory.offer({ capabilities: ['skill:other'], load: 0 })
    await searcher.directory.follow(SKILL)
    const shown = (): string[] =>
      searcher.directory
        .entries()
        .filter(({ state, cards, self }) => state === 'alive' && cards.length === 1 && !self)
        .map(({ nodeId }) => nodeId)
    const isShown = (...some: Node[]) => some.every(node => shown().includes(node.nodeId))
    expect(await pass(12_000, () => isShown(first, second))).toBe(true) // at once, or by the next search

    // They hold ads of one another, but nobody is a partner who was not looked for: partners cost heartbeats.
    expect(third.links.linked().length).toBeGreaterThan(1)
    expect(third.directory.entries().map(({ nodeId }) => nodeId)).toEqual([third.nodeId])

    hub.kill(first.nodeId)
    expect(await pass(5000, () => !isShown(first))).toBe(true)
    expect(isShown(second)).toBe(true)

    await third.directory.offer({ capabilities: [SKILL], load: 0 })
    expect(await pass(10_000, () => isShown(second, third))).toBe(true) // few partners: searched for soon
    searcher.directory.unfollow(SKILL)
  })
})
