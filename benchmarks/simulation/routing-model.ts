import { createRandom } from '../../src/utils/random.ts'
import { round, spread, within } from './figures.ts'
import { createSimulatedClock } from './simulated-clock.ts'
import { type RoutingCost, XorWorld } from './xor-router.ts'

/** One hop there or back; only messages are of interest here. */
const HOP_MS = 25

/**
 * The routing model alone, for sizes at which the product's nodes do not fit one process: messages until the first of
 * the twenty holders is reached, and of a whole lookup, with some of the nodes dead and still in the tables.
 */
export async function simulateRouting(options: {
  readonly nodes: number
  readonly dead: number
  readonly lookups?: number
}): Promise<object> {
  const { nodes, dead, lookups = 200 } = options
  const clock = createSimulatedClock()
  const random = createRandom(`routing-${nodes}-${dead}`)
  const world = new XorWorld({ random, clock, latencyMs: () => HOP_MS, keepsDead: true })
  for (let index = 0; index < nodes; index++) world.join(`node-${index}`)
  const gone = Math.floor(nodes * dead)
  for (let index = 0; index < gone; index++) world.leave(`node-${index}`)
  const cost: RoutingCost = { queries: 0, lost: 0, lookups: 0 }
  const first: number[] = []
  const whole: number[] = []
  const lost: number[] = []
  let reached = 0
  for (let turn = 0; turn < lookups; turn++) {
    const key = new TextEncoder().encode(`key-${turn}`)
    const asker = `node-${gone + Math.floor(random.next() * (nodes - gone))}`
    const before = { ...cost }
    const answered: { readonly peer: string; readonly at: number }[] = []
    const router = world.routerOf(asker, cost, peer => answered.push({ peer, at: cost.queries - before.queries }))
    const holders = new Set<string>()
    const searching = (async () => {
      for await (const { peer, kind } of router.find(key)) if (kind === 'closest') holders.add(peer)
    })()
    await within(clock, searching)
    const firstHolder = answered.find(({ peer }) => holders.has(peer))
    if (firstHolder) {
      reached++
      first.push(firstHolder.at)
    }
    whole.push(cost.queries - before.queries)
    lost.push(cost.lost - before.lost)
  }
  return {
    nodes,
    dead,
    lookups,
    reachedAHolder: round(reached / lookups, 4),
    messagesToFirstHolder: spread(first),
    messagesWhole: spread(whole),
    lostPerLookup: round(lost.reduce((sum, value) => sum + value, 0) / lookups),
    log2Nodes: round(Math.log2(nodes)),
  }
}
