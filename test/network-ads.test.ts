import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Ads,
  createAds,
  createIdentity,
  createLibp2pNetwork,
  createPeerLinks,
  type Identity,
  type Libp2pNetwork,
  type Libp2pNetworkOptions,
} from '../src/network/index.ts'
import { systemClock } from '../src/utils/clock.ts'
import { silentLogger } from '../src/utils/logger.ts'
import { createRandom } from '../src/utils/random.ts'

interface Node {
  readonly identity: Identity
  readonly network: Libp2pNetwork
  readonly ads: Ads
  close(): Promise<void>
}

const SKILL = 'skill:arithmetic'
const nodes: Node[] = []

async function startNode(bootstrap: readonly string[] = [], options: Libp2pNetworkOptions = {}): Promise<Node> {
  const identity = createIdentity()
  const components = { identity, clock: systemClock, logger: silentLogger }
  const network = createLibp2pNetwork(components, { listen: ['/ip4/127.0.0.1/tcp/0'], dht: true, ...options })
  await network.start()
  const links = createPeerLinks({ ...components, network })
  const { router } = network
  const random = createRandom(identity.nodeId)
  const ads = createAds({ ...components, links, router, random, addresses: () => network.addresses() })
  for (const address of bootstrap) await network.dial(address)
  const node: Node = {
    identity,
    network,
    ads,
    async close() {
      await ads.close()
      await links.close()
      await network.close()
    },
  }
  nodes.push(node)
  return node
}

async function find(node: Node, capability = SKILL): Promise<{ found: string[]; firstMs: number }> {
  const start = performance.now()
  let firstMs = Number.POSITIVE_INFINITY
  const found: string[] = []
  for await (const { ad } of node.ads.find(capability)) {
    firstMs = Math.min(firstMs, performance.now() - start)
    found.push(ad.node)
  }
  return { found: found.toSorted(), firstMs }
}

/** Routing tables fill by themselves after the first connections: asks until `holds`, at most 20 s. */
async function eventually<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 20_000
  for (;;) {
    const value = await ask()
    if (holds(value) || performance.now() > end) return value
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const foundBy = (node: Node, expected: readonly string[]): Promise<{ found: string[] }> =>
  eventually(
    () => find(node),
    ({ found }) => found.join() === expected.join(),
  )

describe('capability ads over the DHT', { timeout: 120_000 }, () => {
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(node => node.close()))
  })

  it('are found by nodes that know one other, before and after the death of half of the network', async () => {
    const first = await startNode()
    const bootstrap = [first.network.addresses()[0] ?? '']
    for (let index = 1; index < 9; index++) await startNode(bootstrap)
    const started = [...nodes]
    const providers = started.slice(1, 4)
    for (const { ads } of providers) {
      const offer = (): Promise<number> => ads.offer({ capabilities: [SKILL], load: 0 })
      expect(await eventually(offer, holders => holders > 2)).toBeGreaterThan(2)
    }
    const searcher = started[8] ?? first
    const ids = (some: readonly Node[]) => some.map(({ identity }) => identity.nodeId).toSorted()
    expect((await foundBy(searcher, ids(providers))).found).toEqual(ids(providers))
    await Promise.all([started[0], ...started.slice(5, 8)].map(node => node?.network.close()))
    const after = await foundBy(searcher, ids(providers))
    expect(after.found).toEqual(ids(providers))
    await providers[0]?.ads.close()
    expect((await foundBy(searcher, ids(providers.slice(1)))).found).toEqual(ids(providers.slice(1)))
  })

  it('work alone, and with records kept in a folder over a restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'modelnet-'))
    try {
      const alone = await startNode([], { directory })
      await alone.ads.offer({ capabilities: [SKILL], load: 0 })
      expect((await find(alone)).found).toEqual([])
      await expect(startNode([], { directory })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
      await alone.close()
      await startNode([], { directory })
    } finally {
      await Promise.all(nodes.splice(0).map(node => node.close()))
      await rm(directory, { recursive: true })
    }
  })
})
