import '../../src/network/networks/libp2p/polyfill.ts'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { createRandom } from '../../src/utils/random.ts'
import { mean, round, spread, within } from './figures.ts'
import { createSimulatedClock } from './simulated-clock.ts'
import { PRODUCT_ROUTING, type RoutingCost, type RoutingParameters, XorWorld } from './xor-router.ts'

interface RealNode {
  readonly host: Libp2p
  readonly dht: KadDHT
  readonly name: string
}

/** Messages of whole lookups, and how many of the k peers that truly are closest were found. */
interface LookupFigures {
  readonly messages: object | undefined
  readonly meanMessages: number
  readonly closestFound: number
  readonly tableSize: number
}

export interface KadComparison {
  readonly nodes: number
  readonly parameters: RoutingParameters
  readonly real: LookupFigures
  readonly model: LookupFigures
}

/** Tables are full enough when two looks at them, so far apart, see no more entries; given up after `most`. */
const SETTLE_MS = { each: 3000, most: 60_000 }

/**
 * The routing model beside libp2p's kad-dht: real nodes over TCP on 127.0.0.1, the same node ids, keys, askers and
 * parameters in both. A small k makes a network of some dozen nodes need the steps that a large one needs with k = 20.
 */
export async function compareWithKad(options: {
  readonly nodes: number
  readonly parameters?: RoutingParameters
  readonly lookups?: number
}): Promise<KadComparison> {
  const { nodes: count, parameters = PRODUCT_ROUTING, lookups = 60 } = options
  const nodes: RealNode[] = []
  try {
    for (let index = 0; index < count; index++) nodes.push(await startReal(parameters, nodes))
    await settled(nodes)
    const random = createRandom(`comparison-${count}-${parameters.k}`)
    const clock = createSimulatedClock()
    const world = new XorWorld({ random: random.fork('tables'), clock, latencyMs: () => 1, parameters })
    for (const { host, name } of nodes) world.join(name, host.peerId.toMultihash().bytes)
    const [real, model]: [Lookup[], Lookup[]] = [[], []]
    for (let turn = 0; turn < lookups; turn++) {
      const key = new TextEncoder().encode(`key-${turn}`)
      const asker = nodes[Math.floor(random.next() * count)]
      if (!asker) throw new Error('there are no nodes')
      const closest = new Set(world.closest(key, parameters.k, asker.name))
      real.push(await lookUpReal(asker, key, closest))
      model.push(await lookUpModel(world, clock, asker.name, key, closest))
    }
    const tables = nodes.map(({ dht }) => tableOf(dht).size)
    const modelled = nodes.map(({ name }) => world.tableSize(name))
    return { nodes: count, parameters, real: toFigures(real, tables), model: toFigures(model, modelled) }
  } finally {
    await Promise.allSettled(nodes.map(({ host }) => host.stop()))
  }
}

interface Lookup {
  readonly messages: number
  readonly found: number
}

async function startReal(parameters: RoutingParameters, others: readonly RealNode[]): Promise<RealNode> {
  const { k, alpha, paths, prefixLength } = parameters
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: '/modelnet/comparison/1.0.0',
        clientMode: false,
        kBucketSize: k,
        alpha,
        disjointPaths: paths,
        prefixLength,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
      }),
    },
  })
  // Two that are there already, as a bootstrap address and the peer book give.
  for (const other of others.slice(-1).concat(others.slice(0, 1))) await host.dial(other.host.getMultiaddrs())
  return { host, dht: host.services.dht as KadDHT, name: host.peerId.toString() }
}

async function settled(nodes: readonly RealNode[]): Promise<void> {
  const entries = (): number => nodes.reduce((sum, { dht }) => sum + tableOf(dht).size, 0)
  let before = -1
  for (let waited = 0; waited < SETTLE_MS.most && entries() !== before; waited += SETTLE_MS.each) {
    before = entries()
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS.each))
  }
}

async function lookUpReal({ dht }: RealNode, key: Uint8Array, closest: ReadonlySet<string>): Promise<Lookup> {
  let [messages, found] = [0, 0]
  for await (const event of dht.getClosestPeers(key)) {
    if (event.name === 'SEND_QUERY') messages++
    if (event.name === 'FINAL_PEER' && closest.has(event.peer.id.toString())) found++
  }
  return { messages, found: found / closest.size }
}

async function lookUpModel(
  world: XorWorld,
  clock: ReturnType<typeof createSimulatedClock>,
  asker: string,
  key: Uint8Array,
  closest: ReadonlySet<string>,
): Promise<Lookup> {
  const cost: RoutingCost = { queries: 0, lost: 0, lookups: 0 }
  let found = 0
  const searching = (async () => {
    for await (const { peer, kind } of world.routerOf(asker, cost).find(key))
      if (kind === 'closest' && closest.has(peer)) found++
  })()
  await within(clock, searching)
  return { messages: cost.queries, found: found / closest.size }
}

const toFigures = (lookups: readonly Lookup[], tables: readonly number[]): LookupFigures => ({
  messages: spread(lookups.map(({ messages }) => messages)),
  meanMessages: round(mean(lookups.map(({ messages }) => messages))),
  closestFound: round(mean(lookups.map(({ found }) => found)), 3),
  tableSize: round(mean(tables)),
})

/** The table is a property of the class behind the interface. */
const tableOf = (dht: KadDHT): { readonly size: number } =>
  (dht as unknown as { routingTable: { size: number } }).routingTable
