import type { PeerRouter } from '../../src/network/index.ts'
import { createRandom } from '../../src/utils/random.ts'
import { mean, round, spread, within } from './figures.ts'
import { createSimulatedClock } from './simulated-clock.ts'
import { PRODUCT_ROUTING, type RoutingCost, type RoutingParameters, XorWorld } from './xor-router.ts'

/** One hop there or back; only messages are of interest here. */
const HOP_MS = 25

/**
 * The routing model alone, for sizes at which the product's nodes do not fit one process: messages until the first of
 * the twenty holders is reached, and of a whole lookup, how many of the twenty that truly are closest are found, with
 * some of the nodes dead and still in the tables.
 */
export async function simulateRouting(options: {
  readonly nodes: number
  readonly dead: number
  readonly parameters?: RoutingParameters
  readonly lookups?: number
}): Promise<object> {
  const { nodes, dead, parameters = PRODUCT_ROUTING, lookups = 100 } = options
  const clock = createSimulatedClock()
  const random = createRandom(`routing-${nodes}-${dead}`)
  const world = new XorWorld({ random, clock, latencyMs: () => HOP_MS, keepsDead: true, parameters })
  for (let index = 0; index < nodes; index++) world.join(`node-${index}`)
  const gone = Math.floor(nodes * dead)
  for (let index = 0; index < gone; index++) world.leave(`node-${index}`)
  const cost: RoutingCost = { queries: 0, lost: 0, lookups: 0 }
  const first: number[] = []
  const whole: number[] = []
  const lost: number[] = []
  const hops: number[] = []
  const recall: number[] = []
  const common: number[] = []
  for (let turn = 0; turn < lookups; turn++) {
    const key = new TextEncoder().encode(`key-${turn}`)
    const asker = `node-${gone + Math.floor(random.next() * (nodes - gone))}`
    const holders = new Set(world.closest(key, parameters.k, asker))
    const before = { ...cost }
    let firstAt: number | undefined
    const router = world.routerOf(asker, cost, (peer, hop) => {
      if (!holders.has(peer) || firstAt !== undefined) return
      firstAt = cost.queries - before.queries
      hops.push(hop)
    })
    const found = await closestTo(router, key, clock)
    if (firstAt !== undefined) first.push(firstAt)
    recall.push(found.filter(peer => holders.has(peer)).length / holders.size)
    whole.push(cost.queries - before.queries)
    lost.push(cost.lost - before.lost)
    const other = `node-${gone + Math.floor(random.next() * (nodes - gone))}`
    const put = await closestTo(world.routerOf(other, { queries: 0, lost: 0, lookups: 0 }), key, clock)
    common.push(put.filter(peer => found.includes(peer)).length)
  }
  return {
    dead,
    ...parameters,
    lookups,
    reachedAHolder: round(first.length / lookups, 4),
    /** Of the twenty that one node finds, those that another finds too: where an ad is put, and where it is looked for. */
    foundByTwo: { mean: round(mean(common), 1), least: Math.min(...common) },
    holdersFound: { mean: round(mean(recall), 3), least: round(Math.min(...recall), 3) },
    hopsToFirstHolder: spread(hops),
    messagesToFirstHolder: spread(first),
    messagesWhole: spread(whole),
    lostPerLookup: round(mean(lost)),
  }
}

async function closestTo(
  router: PeerRouter,
  key: Uint8Array,
  clock: { advance(ms: number): Promise<void> },
): Promise<readonly string[]> {
  const found: string[] = []
  const searching = (async () => {
    for await (const { peer, kind } of router.find(key)) if (kind === 'closest') found.push(peer)
  })()
  await within(clock, searching)
  return found
}
