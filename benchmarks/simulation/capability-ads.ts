import { createMemoryHub } from '../../src/network/index.ts'
import { createRandom, type Random } from '../../src/utils/random.ts'
import { heapBytes, round, spread, within } from './figures.ts'
import { latencyMs } from './latency.ts'
import { type Outcome, type SimulatedNode, type SimulatedWorld, seededIdentity, skillOf, startNode } from './node.ts'
import { createSimulatedClock, stopRealTime } from './simulated-clock.ts'
import { createTraffic, resetTraffic } from './traffic.ts'
import { XorWorld } from './xor-router.ts'

export interface CapabilityAdsOptions {
  readonly nodes: number
  /** Simulated seconds after the start, with churn. @default 90 */
  readonly churnS?: number
  /** Share of the nodes that die in that time. @default 0.1 */
  readonly dying?: number
  /** All nodes keep partners, or only those that ask or are asked all the time. @default up to 1,000 nodes */
  readonly allArePartners?: boolean
}

export interface CapabilityAdsResult {
  readonly nodes: number
  /** Nodes that keep partners; the others publish, hold and search only. */
  readonly nodesWithHeartbeats: number
  readonly capabilities: number
  /** Under churn. Of those not counted no provider was left. */
  readonly lookups: LookupFigures & { readonly withoutProvider: number }
  /** After half of the nodes died or hung at once. */
  readonly halfGone: LookupFigures & { readonly gone: number }
  readonly requests: { readonly succeeded: number } & Readonly<Record<string, unknown>>
  readonly perNodeSecond: Readonly<Record<string, unknown>>
  readonly adsHeld: object | undefined
  readonly routingTable: object | undefined
  readonly heapBytesPerNode: number
}

const STEP_MS = 50
/** All publish within this time, so that they do not start as one. */
const START_S = 30
/** Every tenth node offers this as well as its field: enough to fill more than one shard at 10,000 nodes. */
const COMMON = 'skill:common'
const NODES_PER_FIELD = 20
const ASKERS = 20
const LOOKUP_EVERY_MS = 500
const REQUEST_EVERY_MS = 250
/** Searches of each asker after half of the nodes are gone. */
const LOOKUPS_AFTER = 8

interface LookupFigures {
  readonly count: number
  /** Share that found a provider that lives. */
  readonly answered: number
  /** Routing queries and questions to holders, of one search. */
  readonly messages: object | undefined
  readonly toDeadNodes: number
  readonly firstLiveMs: object | undefined
  readonly wholeMs: object | undefined
  readonly foundThatWereDead: number
}

interface Lookup {
  readonly messages: number
  readonly lost: number
  /** Until the first provider that lives. */
  readonly firstMs: number | undefined
  readonly wholeMs: number
  readonly found: number
  readonly dead: number
}

/**
 * A network too large to know everyone: ads, their holders, search, partners, matching and failover of the product over
 * a model of the DHT's routing. What a lookup costs and finds, what a node sends and holds, and what fails under churn.
 */
export async function simulateCapabilityAds(options: CapabilityAdsOptions): Promise<CapabilityAdsResult> {
  const { nodes: count, churnS = 90, dying = 0.1, allArePartners = count <= 1000 } = options
  const clock = createSimulatedClock()
  const { verifications } = stopRealTime(clock)
  const random = createRandom('ads')
  const routing = new XorWorld({ random: random.fork('tables'), clock, latencyMs })
  const world: SimulatedWorld = {
    clock,
    hub: createMemoryHub({ clock, latencyMs }),
    traffic: createTraffic(),
    routing,
  }
  const fields = Math.max(2, Math.ceil(count / NODES_PER_FIELD))
  const heapBefore = heapBytes()
  const nodes: SimulatedNode[] = []
  const askerCount = Math.min(ASKERS, Math.floor(count / 2))
  // Ten thousand memberships, each looking at its partners ten times a second, are more than one process carries: beyond
  // 1,000 nodes only those take part who ask, and who offer what is asked for all the time.
  const isPartner = (index: number): boolean => allArePartners || index % fields <= askerCount
  for (let index = 0; index < count; index++)
    nodes.push(
      await startNode(world, {
        identity: seededIdentity(`node-${index}`),
        skill: skillOf(index, fields),
        isPartner: isPartner(index),
      }),
    )
  await publishAll(nodes, world, random)
  routing.fillTables()
  const askers = nodes.slice(0, askerCount)
  const used = new Map(askers.map((asker, index) => [asker, skillOf(index + 1, fields)]))
  await within(clock, Promise.all([...used].map(([asker, skill]) => asker.adDirectory?.follow(skill))))
  await pass(world, 3000)

  resetTraffic(world.traffic)
  const before = { queries: queriesOf(nodes), verifications: verifications(), at: clock.monotonic() }
  const victims = nodes.slice(askers.length).filter(() => random.next() < dying)
  const result = await underChurn({ world, nodes, used, victims, fields, random, seconds: churnS })
  const seconds = (clock.monotonic() - before.at) / 1000
  const rate = (value: number): number => round(value / count / seconds)
  const perNodeSecond = {
    frames: rate(world.traffic.frames),
    bytes: rate(world.traffic.bytes),
    calls: Object.fromEntries([...world.traffic.calls].map(([name, n]) => [name, rate(n)])),
    routingQueries: rate(queriesOf(nodes) - before.queries),
    signaturesChecked: rate(verifications() - before.verifications),
  }
  const heapBytesPerNode = Math.round((heapBytes() - heapBefore) / count)
  const held = nodes.map(({ ads }) => ads?.held() ?? 0)
  return {
    nodes: count,
    nodesWithHeartbeats: nodes.filter(({ membership }) => membership).length,
    capabilities: fields + 1,
    ...result,
    perNodeSecond,
    adsHeld: spread(held),
    routingTable: spread(nodes.slice(0, 100).map(({ nodeId }) => routing.tableSize(nodeId))),
    heapBytesPerNode,
    halfGone: await halfGone({ world, nodes: nodes.filter(node => !victims.includes(node)), askers, fields, random }),
  }
}

async function publishAll(nodes: readonly SimulatedNode[], world: SimulatedWorld, random: Random): Promise<void> {
  const publishing = nodes.map(async ({ ads, skill }, index) => {
    await world.clock.sleep(random.next() * START_S * 1000)
    const capabilities = index % 10 === 0 ? [skill, COMMON] : [skill]
    await ads?.offer({ capabilities, load: 0 })
  })
  await within(world.clock, Promise.all(publishing), START_S * 1000 + 60_000)
}

async function pass(world: SimulatedWorld, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) await world.clock.advance(STEP_MS)
}

const queriesOf = (nodes: readonly SimulatedNode[]): number =>
  nodes.reduce((sum, { routing }) => sum + routing.queries, 0)

interface ChurnOptions {
  readonly world: SimulatedWorld
  readonly nodes: readonly SimulatedNode[]
  /** Who asks, and what it uses all the time. */
  readonly used: ReadonlyMap<SimulatedNode, string>
  readonly victims: readonly SimulatedNode[]
  readonly fields: number
  readonly random: Random
  readonly seconds: number
}

/** Nodes die, half of them without a word, while others search for what they have never used, and call partners. */
async function underChurn(options: ChurnOptions): Promise<Pick<CapabilityAdsResult, 'lookups' | 'requests'>> {
  const { world, nodes, used, victims, fields, random, seconds } = options
  const { clock } = world
  const dead = new Set<string>()
  const lookups: Lookup[] = []
  const outcomes: Outcome[] = []
  const pending: Promise<void>[] = []
  const askers = [...used.keys()]
  const busy = new Set<SimulatedNode>()
  const providers = new Map<string, string[]>()
  for (const { nodeId, skill } of nodes) providers.set(skill, [...(providers.get(skill) ?? []), nodeId])
  let withoutProvider = 0
  const steps = (seconds * 1000) / STEP_MS
  for (let step = 0; step < steps; step++) {
    const due = Math.floor((victims.length * (step + 1)) / steps)
    for (const victim of victims.slice(dead.size, due)) {
      dead.add(victim.nodeId)
      pending.push(dead.size % 2 === 0 ? victim.kill() : victim.leave())
    }
    const passed = step * STEP_MS
    if (passed % LOOKUP_EVERY_MS === 0) {
      const asker = askers.find(each => !busy.has(each))
      const skill = passed % (4 * LOOKUP_EVERY_MS) === 0 ? COMMON : skillOf(Math.floor(random.next() * fields), fields)
      const live = (providers.get(skill) ?? nodes.map(({ nodeId }) => nodeId)).filter(
        nodeId => !dead.has(nodeId) && nodeId !== asker?.nodeId,
      )
      if (live.length === 0) withoutProvider++
      else if (asker) {
        busy.add(asker)
        askers.push(...askers.splice(askers.indexOf(asker), 1))
        pending.push(
          lookUp(asker, skill, dead, world).then(lookup => {
            lookups.push(lookup)
            busy.delete(asker)
          }),
        )
      }
    }
    if (passed % REQUEST_EVERY_MS === 0) {
      const asker = askers[Math.floor(random.next() * askers.length)]
      const skill = asker && used.get(asker)
      if (asker && skill) pending.push(asker.ask(skill).then(outcome => void outcomes.push(outcome)))
    }
    await clock.advance(STEP_MS)
  }
  await within(clock, Promise.all(pending))
  const good = outcomes.filter(({ code }) => code === 'OK')
  return {
    lookups: { ...toFigures(lookups), withoutProvider },
    requests: {
      count: outcomes.length,
      succeeded: round(good.length / Math.max(1, outcomes.length), 4),
      failures: [...new Set(outcomes.filter(({ code }) => code !== 'OK').map(({ code }) => code))],
      ms: spread(good.map(({ ms }) => ms)),
    },
  }
}

/**
 * Half of the nodes go at once, every second of them by hanging with its connections open; then each asker looks for
 * capabilities that still have a live provider, with the tables and the connections it had before.
 */
async function halfGone(options: {
  readonly world: SimulatedWorld
  readonly nodes: readonly SimulatedNode[]
  readonly askers: readonly SimulatedNode[]
  readonly fields: number
  readonly random: Random
}): Promise<CapabilityAdsResult['halfGone']> {
  const { world, nodes, askers, fields, random } = options
  const dead = new Set<string>()
  const kills: Promise<void>[] = []
  for (const node of nodes) {
    if (askers.includes(node) || random.next() < 0.5) continue
    dead.add(node.nodeId)
    if (dead.size % 2 === 0) kills.push(node.kill())
    else {
      world.routing?.leave(node.nodeId)
      world.hub.pause(node.nodeId)
    }
  }
  const lookups: Lookup[] = []
  const search = async (asker: SimulatedNode): Promise<void> => {
    for (let turn = 0; turn < LOOKUPS_AFTER; turn++) {
      const skill = skillOf(Math.floor(random.next() * fields), fields)
      const isOffered = nodes.some(node => node !== asker && node.skill === skill && !dead.has(node.nodeId))
      if (isOffered) lookups.push(await lookUp(asker, skill, dead, world))
    }
  }
  await within(world.clock, Promise.all([...kills, ...askers.map(search)]), 600_000)
  return { gone: dead.size, ...toFigures(lookups) }
}

/** A search counts as answered when it found a provider that lives. */
function toFigures(lookups: readonly Lookup[]): LookupFigures {
  const answered = lookups.filter(({ firstMs }) => firstMs !== undefined)
  const sum = (pick: (lookup: Lookup) => number): number => lookups.reduce((total, each) => total + pick(each), 0)
  const found = sum(each => each.found)
  const count = Math.max(1, lookups.length)
  return {
    count: lookups.length,
    answered: round(answered.length / count, 4),
    messages: spread(lookups.map(({ messages }) => messages)),
    toDeadNodes: round(sum(({ lost }) => lost) / count),
    firstLiveMs: spread(answered.map(({ firstMs = 0 }) => firstMs)),
    wholeMs: spread(lookups.map(({ wholeMs }) => wholeMs)),
    foundThatWereDead: round(sum(each => each.dead) / Math.max(1, found), 4),
  }
}

/** A search whose messages are those of the asker's router and its questions to holders. */
async function lookUp(
  asker: SimulatedNode,
  skill: string,
  dead: ReadonlySet<string>,
  { clock }: SimulatedWorld,
): Promise<Lookup> {
  const began = clock.monotonic()
  const { queries, lost } = asker.routing
  const askedBefore = asker.sent.get('ad/get') ?? 0
  let firstMs: number | undefined
  let found = 0
  let gone = 0
  for await (const { ad } of asker.ads?.find(skill) ?? []) {
    found++
    if (dead.has(ad.node)) gone++
    else firstMs ??= clock.monotonic() - began
  }
  return {
    messages: asker.routing.queries - queries + (asker.sent.get('ad/get') ?? 0) - askedBefore,
    lost: asker.routing.lost - lost,
    firstMs,
    wholeMs: clock.monotonic() - began,
    found,
    dead: gone,
  }
}
