import { createHash } from 'node:crypto'
import { HOLDERS, type PeerRouter } from '../../src/network/peer-router.ts'
import { AsyncQueue } from '../../src/utils/async-queue.ts'
import type { Clock } from '../../src/utils/clock.ts'
import type { Random } from '../../src/utils/random.ts'

/** Queries in flight in one lookup: Kademlia's alpha. */
const ALPHA = 3
/** Candidates a lookup remembers: those beyond the twenty take the place of dead ones. */
const KNOWN = 3 * HOLDERS
/** A dial that nobody answers, as the host of the product waits in a network with a DHT. */
const DIAL_TIMEOUT_MS = 2000
/** Tables are filled anew so often, as kad-dht does; dead entries stay until then or until they are asked. */
const REFRESH_MS = 300_000

interface Place {
  readonly name: string
  /** The first 64 bits of the hashed id: enough to order any network simulated here. */
  readonly high: number
  readonly low: number
  alive: boolean
  table?: Place[]
  tableAt: number
}

/** What one node's lookups cost. */
export interface RoutingCost {
  /** Queries sent. */
  queries: number
  /** Of these, to nodes that were gone. */
  lost: number
  lookups: number
}

/**
 * Kademlia's routing as a model: XOR metric, k-buckets of 20 that are filled with random members of each subtree,
 * iterative lookups three at a time, entries of dead nodes that cost a time-out. It stands for libp2p's kad-dht where
 * ten thousand of its nodes would not fit one process; it routes only, as the product uses it.
 */
export class XorWorld {
  readonly #places: Place[] = []
  readonly #byName = new Map<string, Place>()
  readonly #random: Random
  readonly #clock: Clock
  readonly #latencyMs: (from: string, to: string) => number
  readonly #keepsDead: boolean
  #isSorted = true

  /** `keepsDead`: tables were filled before nodes died, and have not been since. */
  constructor(components: {
    readonly random: Random
    readonly clock: Clock
    readonly latencyMs: XorWorld['latency']
    readonly keepsDead?: boolean
  }) {
    this.#keepsDead = components.keepsDead ?? false
    this.#random = components.random
    this.#clock = components.clock
    this.#latencyMs = components.latencyMs
  }

  get latency(): (from: string, to: string) => number {
    return this.#latencyMs
  }

  join(name: string): void {
    const known = this.#byName.get(name)
    if (known) {
      known.alive = true
      delete known.table
      return
    }
    const hash = createHash('sha256').update(name).digest()
    const place = { name, high: hash.readUInt32BE(0), low: hash.readUInt32BE(4), alive: true, tableAt: 0 }
    this.#places.push(place)
    this.#byName.set(name, place)
    this.#isSorted = false
  }

  leave(name: string): void {
    const place = this.#byName.get(name)
    if (place) place.alive = false
  }

  /** The router of one node; `cost` counts what it sends. `onFar` is told of each query a peer answered. */
  routerOf(name: string, cost: RoutingCost, onAnswer: (peer: string) => void = () => undefined): PeerRouter {
    const world = this
    return {
      async *find(key, { signal } = {}) {
        const self = world.#byName.get(name)
        if (!self?.alive) return
        cost.lookups++
        const target = createHash('sha256').update(key).digest()
        const [high, low] = [target.readUInt32BE(0), target.readUInt32BE(4)]
        const found = new AsyncQueue<{ readonly peer: string; readonly kind: 'near' | 'closest' }>()
        const stop = new AbortController()
        const running = world
          .#lookUp(self, high, low, cost, AbortSignal.any(signal ? [signal, stop.signal] : [stop.signal]), peer => {
            onAnswer(peer)
            found.push({ peer, kind: 'near' })
          })
          .then(closest => {
            for (const { name: peer } of closest) found.push({ peer, kind: 'closest' })
            found.end()
          })
          .catch(error => found.fail(error))
        try {
          yield* found
        } finally {
          stop.abort(new Error('enough was found'))
          await running
        }
      },
    }
  }

  /** Entries of a node's table now; for the memory figure. */
  tableSize(name: string): number {
    const place = this.#byName.get(name)
    return place ? this.#tableOf(place).length : 0
  }

  async #lookUp(
    self: Place,
    high: number,
    low: number,
    cost: RoutingCost,
    signal: AbortSignal,
    onNear: (peer: string) => void,
  ): Promise<readonly Place[]> {
    const compare = (a: Place, b: Place): number =>
      (a.high ^ high) >>> 0 === (b.high ^ high) >>> 0
        ? ((a.low ^ low) >>> 0) - ((b.low ^ low) >>> 0)
        : ((a.high ^ high) >>> 0) - ((b.high ^ high) >>> 0)
    let list = nearestOf([...this.#tableOf(self), self], compare, KNOWN)
    const asked = new Set<Place>([self])
    const failed = new Set<Place>()
    const running = new Set<Promise<void>>()
    const ask = async (peer: Place): Promise<void> => {
      cost.queries++
      const isAlive = peer.alive
      await this.#clock.sleep(isAlive ? 2 * this.#latencyMs(self.name, peer.name) : DIAL_TIMEOUT_MS, signal)
      if (!isAlive || !peer.alive) {
        cost.lost++
        failed.add(peer)
        if (self.table) self.table = self.table.filter(other => other !== peer)
        list = list.filter(other => other !== peer)
        return
      }
      onNear(peer.name)
      const told = nearestOf(this.#tableOf(peer), compare, HOLDERS)
      list = nearestOf(
        [...new Set([...list, ...told])].filter(other => !failed.has(other)),
        compare,
        KNOWN,
      )
    }
    for (;;) {
      const next = list.slice(0, HOLDERS).find(place => !asked.has(place))
      if (!next && running.size === 0) return list.slice(0, HOLDERS)
      if (next && running.size < ALPHA) {
        asked.add(next)
        const one: Promise<void> = ask(next).finally(() => running.delete(one))
        one.catch(() => undefined) // seen below
        running.add(one)
      } else await Promise.race(running)
    }
  }

  /** Up to 20 random members of each subtree beside the node's own, nearest subtrees whole. */
  #tableOf(place: Place): Place[] {
    const now = this.#clock.monotonic()
    if (place.table && now - place.tableAt < REFRESH_MS) return place.table
    if (!this.#isSorted) {
      this.#places.sort((a, b) => a.high - b.high || a.low - b.low)
      this.#isSorted = true
    }
    const table: Place[] = []
    let [from, to] = [0, this.#places.length]
    for (let bit = 0; bit < 64 && to - from > 1; bit++) {
      const middle = this.#split(from, to, bit)
      const isUpper = bitOf(place, bit) === 1
      const [otherFrom, otherTo] = isUpper ? [from, middle] : [middle, to]
      this.#draw(otherFrom, otherTo, table)
      ;[from, to] = isUpper ? [middle, to] : [from, middle]
    }
    place.table = table
    place.tableAt = now
    return table
  }

  #draw(from: number, to: number, into: Place[]): void {
    const size = to - from
    if (size <= HOLDERS) {
      for (let index = from; index < to; index++) {
        const place = this.#places[index]
        if (place && (place.alive || this.#keepsDead)) into.push(place)
      }
      return
    }
    const drawn = new Set<Place>()
    for (let turn = 0; turn < 4 * HOLDERS && drawn.size < HOLDERS; turn++) {
      const place = this.#places[from + Math.floor(this.#random.next() * size)]
      if (place && (place.alive || this.#keepsDead)) drawn.add(place)
    }
    into.push(...drawn)
  }

  /** The first index in [from, to) whose bit is 1; all there share the bits before it. */
  #split(from: number, to: number, bit: number): number {
    let [left, right] = [from, to]
    while (left < right) {
      const middle = (left + right) >> 1
      if (bitOf(this.#places[middle] as Place, bit) === 0) left = middle + 1
      else right = middle
    }
    return left
  }
}

const bitOf = ({ high, low }: Place, bit: number): number =>
  bit < 32 ? (high >>> (31 - bit)) & 1 : (low >>> (63 - bit)) & 1

const nearestOf = (places: readonly Place[], compare: (a: Place, b: Place) => number, count: number): Place[] =>
  [...places].sort(compare).slice(0, count)
