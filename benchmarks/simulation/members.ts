import { createMemoryHub } from '../../src/network/index.ts'
import { createRandom, type Random } from '../../src/utils/random.ts'
import { heapBytes, mean, round, spread, within } from './figures.ts'
import { latencyMs } from './latency.ts'
import { type Outcome, type SimulatedNode, type SimulatedWorld, seededIdentity, skillOf, startNode } from './node.ts'
import { createSimulatedClock, stopRealTime } from './simulated-clock.ts'
import { createTraffic, resetTraffic } from './traffic.ts'

export interface MembersOptions {
  readonly nodes: number
  /** Seconds of simulated time without churn. @default 20 */
  readonly steadyS?: number
  /** Seconds with churn. @default 40 */
  readonly churnS?: number
}

export interface MembersResult {
  readonly nodes: number
  readonly formedMs: number
  readonly joinSeenByAllMs: number
  readonly steady: { readonly framesPerNodeSecond: number; readonly bytesPerNodeSecond: number }
  readonly detection: { readonly killedMs: object | undefined; readonly hangingMs: object | undefined }
  readonly churn: {
    readonly kills: number
    readonly requests: number
    /** Share of the requests whose text was whole and right. */
    readonly succeeded: number
    readonly failures: readonly string[]
    readonly requestMs: object | undefined
    /** Mean share of the pairs of observer and node whose state the observer had wrong. */
    readonly wrongViews: number
    readonly framesPerNodeSecond: number
    readonly bytesPerNodeSecond: number
  }
  readonly convergedAfterChurnMs: number
  readonly heapBytesPerNode: number
}

const STEP_MS = 50
/** A random node is killed so often, and comes back after so long. */
const KILL_EVERY_MS = 3000
const BACK_AFTER_MS = 5000
const ASK_EVERY_MS = 100
const MOST_MS = 60_000

/**
 * Full membership: gossip, heartbeats, cards, matching and failover of the product. How soon all know all, what a node
 * sends, how soon the dead and the silent are noticed, what is wrong in the views and what fails under churn.
 */
export async function simulateMembers(options: MembersOptions): Promise<MembersResult> {
  const { nodes: count, steadyS = 20, churnS = 40 } = options
  const clock = createSimulatedClock()
  const { verifications } = stopRealTime(clock)
  const world: SimulatedWorld = { clock, hub: createMemoryHub({ clock, latencyMs }), traffic: createTraffic() }
  const heapBefore = heapBytes()
  const field = new Field(world, Math.max(2, Math.floor(count / 4)))
  for (let index = 0; index < count; index++) await field.start(index)
  const formedMs = await field.until(() => field.allSee())
  const joiner = await field.start(count)
  const joinSeenByAllMs = await field.until(() => field.allSee())
  field.live.delete(count)
  await within(clock, joiner.leave())
  await field.pass(5000)

  resetTraffic(world.traffic)
  const checkedBefore = verifications()
  await field.pass(steadyS * 1000)
  const perNodeSecond = (value: number): number => round(value / count / steadyS)
  const steady = {
    framesPerNodeSecond: perNodeSecond(world.traffic.frames),
    bytesPerNodeSecond: perNodeSecond(world.traffic.bytes),
    callsPerNodeSecond: Object.fromEntries([...world.traffic.calls].map(([name, n]) => [name, perNodeSecond(n)])),
    signaturesCheckedPerNodeSecond: perNodeSecond(verifications() - checkedBefore),
  }
  const heapBytesPerNode = Math.round((heapBytes() - heapBefore) / count)
  const detection = {
    killedMs: spread(await field.noticed(count - 1, 'kill')),
    hangingMs: spread(await field.noticed(count - 2, 'pause')),
  }
  const churn = await underChurn(field, createRandom('churn'), churnS)
  const convergedAfterChurnMs = await field.until(() => field.allSee())
  return {
    nodes: count,
    formedMs,
    joinSeenByAllMs,
    steady,
    detection,
    churn,
    convergedAfterChurnMs,
    heapBytesPerNode,
  }
}

/** The nodes of one simulation, by number. */
class Field {
  readonly live = new Map<number, SimulatedNode>()
  readonly world: SimulatedWorld
  readonly skills: number

  constructor(world: SimulatedWorld, skills: number) {
    this.world = world
    this.skills = skills
  }

  /** Starts a node, or starts it again under its old identity; it knows the addresses of two others. */
  async start(index: number): Promise<SimulatedNode> {
    return within(this.world.clock, this.begin(index))
  }

  /** The same, without letting time pass. */
  async begin(index: number): Promise<SimulatedNode> {
    const addresses = [...this.live.values()].slice(0, 2).map(({ nodeId }) => `/memory/${nodeId}/p2p/${nodeId}`)
    const identity = seededIdentity(`node-${index}`)
    const node = await startNode(this.world, { identity, skill: skillOf(index, this.skills), bootstrap: addresses })
    await node.membership?.ready
    this.live.set(index, node)
    return node
  }

  async pass(ms: number, each: (passed: number) => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      each(passed)
      await this.world.clock.advance(STEP_MS)
    }
  }

  /** Simulated milliseconds until something is so. Throws when that takes longer than a minute. */
  async until(reached: () => boolean): Promise<number> {
    for (let passed = 0; passed <= MOST_MS; passed += STEP_MS) {
      if (reached()) return passed
      await this.world.clock.advance(STEP_MS)
    }
    throw new Error(`not reached within ${MOST_MS} ms of simulated time`)
  }

  allSee(): boolean {
    const nodes = [...this.live.values()]
    return nodes.every(node =>
      nodes.every(other => {
        const entry = node.membership?.entry(other.nodeId)
        return entry?.state === 'alive' && entry.cards.length === 1
      }),
    )
  }

  /** Milliseconds until each of the others gives the victim no more work; the victim comes back after. */
  async noticed(index: number, how: 'kill' | 'pause'): Promise<readonly number[]> {
    const { clock, hub } = this.world
    const victim = this.live.get(index)
    if (!victim) throw new Error(`there is no node ${index}`)
    const others = [...this.live.values()].filter(node => node !== victim)
    const seenAt = new Map<SimulatedNode, number>()
    const began = clock.monotonic()
    if (how === 'pause') hub.pause(victim.nodeId)
    else {
      this.live.delete(index)
      void victim.kill()
    }
    await this.until(() => {
      for (const other of others)
        if (!seenAt.has(other) && other.membership?.entry(victim.nodeId)?.state !== 'alive')
          seenAt.set(other, clock.monotonic() - began)
      return seenAt.size === others.length
    })
    if (how === 'pause') hub.resume(victim.nodeId)
    else await this.start(index)
    await this.until(() => this.allSee())
    return [...seenAt.values()]
  }
}

/** Nodes die and come back while others are asked; views are compared with the truth every half second. */
async function underChurn(field: Field, random: Random, seconds: number): Promise<MembersResult['churn']> {
  const { world, live } = field
  const outcomes: Outcome[] = []
  const pending: Promise<void>[] = []
  const coming: { readonly index: number; readonly at: number }[] = []
  const wrong: number[] = []
  const down = new Set<string>()
  let kills = 0
  resetTraffic(world.traffic)
  const any = (): number => [...live.keys()][Math.floor(random.next() * live.size)] ?? 0
  for (let passed = 0; passed < seconds * 1000; passed += STEP_MS) {
    if (passed % KILL_EVERY_MS === 0 && live.size > 4) {
      const index = any()
      const victim = live.get(index)
      if (victim) {
        live.delete(index)
        down.add(victim.nodeId)
        kills++
        pending.push(victim.kill())
        coming.push({ index, at: passed + BACK_AFTER_MS })
      }
    }
    for (const due of coming.filter(({ at }) => at === passed))
      pending.push(field.begin(due.index).then(node => void down.delete(node.nodeId)))
    if (passed % ASK_EVERY_MS === 0) {
      const asker = live.get(any())
      const skill = skillOf(Math.floor(random.next() * field.skills), field.skills)
      // A request to a node that is killed dies with its client; it is not the network that failed.
      if (asker)
        pending.push(
          asker.ask(skill).then(outcome => {
            if (!down.has(asker.nodeId)) outcomes.push(outcome)
          }),
        )
    }
    if (passed % 500 === 0) wrong.push(wrongViews(live, down))
    await world.clock.advance(STEP_MS)
  }
  const sent = { frames: world.traffic.frames, bytes: world.traffic.bytes }
  await within(world.clock, Promise.all(pending))
  for (const { index } of coming) if (!live.has(index)) await field.start(index)
  const failed = outcomes.filter(({ code }) => code !== 'OK')
  return {
    kills,
    requests: outcomes.length,
    succeeded: round((outcomes.length - failed.length) / outcomes.length, 4),
    failures: [...new Set(failed.map(({ code }) => code))],
    requestMs: spread(outcomes.filter(({ code }) => code === 'OK').map(({ ms }) => ms)),
    wrongViews: round(mean(wrong), 5),
    framesPerNodeSecond: round(sent.frames / (live.size || 1) / seconds),
    bytesPerNodeSecond: round(sent.bytes / (live.size || 1) / seconds),
  }
}

/** Share of pairs of a live observer and another node whose state the observer has wrong. */
function wrongViews(live: ReadonlyMap<number, SimulatedNode>, down: ReadonlySet<string>): number {
  let wrong = 0
  let pairs = 0
  const nodes = [...live.values()]
  for (const { membership, nodeId } of nodes) {
    for (const other of nodes) {
      if (other.nodeId === nodeId) continue
      pairs++
      if (membership?.entry(other.nodeId)?.state !== 'alive') wrong++
    }
    for (const other of down) {
      pairs++
      if (membership?.entry(other)?.state === 'alive') wrong++
    }
  }
  return wrong / Math.max(1, pairs)
}
