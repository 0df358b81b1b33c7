import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { HOLDERS, type PeerRouter } from '../../src/network/peer-router.ts'
import { AsyncQueue } from '../../src/utils/async-queue.ts'
import type { Clock } from '../../src/utils/clock.ts'
import type { Random } from '../../src/utils/random.ts'
import { byDistanceTo, type LookupParameters, lookUp, nearestOf, type Place } from './xor-lookup.ts'

export interface RoutingParameters extends LookupParameters {
  /**
   * Bits of a key by which kad-dht's table splits its buckets: of the peers that share so many bits with a node it keeps
   * k. Its option is `prefixLength`, 6 by default.
   */
  readonly prefixLength: number
}

/** As the product sets kad-dht up (`networks/libp2p/kad-service.ts`). */
export const PRODUCT_ROUTING: RoutingParameters = { k: HOLDERS, alpha: 6, paths: 2, prefixLength: 8 }
/** kad-dht's own defaults. */
export const KAD_DEFAULTS: RoutingParameters = { k: HOLDERS, alpha: 10, paths: 10, prefixLength: 6 }

/** Tables are filled anew so often, as kad-dht does; dead entries stay until then. */
const REFRESH_MS = 300_000

/** What one node's lookups cost. */
export interface RoutingCost {
  /** Queries sent. */
  queries: number
  /** Of these, to nodes that were gone. */
  lost: number
  lookups: number
}

/**
 * Routing as a model, where ten thousand nodes of libp2p's kad-dht would not fit one process: its lookup message for
 * message (`xor-lookup.ts`), over tables as they stand after a while: k random members of each subtree beside the node's
 * own, down to `prefixLength` bits. `kad-comparison.ts` holds it against the real one.
 */
export class XorWorld {
  readonly #places: Place[] = []
  readonly #byName = new Map<string, Place>()
  readonly #random: Random
  readonly #clock: Clock
  readonly #latencyMs: (from: string, to: string) => number
  readonly #keepsDead: boolean
  readonly #parameters: RoutingParameters
  #isSorted = true

  /** `keepsDead`: tables were filled before nodes died, and have not been since. */
  constructor(components: {
    readonly random: Random
    readonly clock: Clock
    readonly latencyMs: (from: string, to: string) => number
    readonly keepsDead?: boolean
    readonly parameters?: RoutingParameters
  }) {
    this.#keepsDead = components.keepsDead ?? false
    this.#random = components.random
    this.#clock = components.clock
    this.#latencyMs = components.latencyMs
    this.#parameters = components.parameters ?? PRODUCT_ROUTING
  }

  /** `id` is hashed to the place of the node. @default its name */
  join(name: string, id: string | Uint8Array = name): void {
    const known = this.#byName.get(name)
    if (known) {
      known.alive = true
      delete known.table
      return
    }
    const [high, low] = placeOf(id)
    const place: Place = { name, high, low, alive: true, tableAt: 0, connected: new Set() }
    this.#places.push(place)
    this.#byName.set(name, place)
    this.#isSorted = false
  }

  leave(name: string): void {
    const place = this.#byName.get(name)
    if (place) place.alive = false
  }

  /** Fills all tables now, so that who dies later is in them. */
  fillTables(): void {
    for (const place of this.#places) if (place.alive) this.#tableOf(place)
  }

  /** The router of one node; `cost` counts what it sends. */
  routerOf(
    name: string,
    cost: RoutingCost,
    onAnswer: (peer: string, hop: number) => void = () => undefined,
  ): PeerRouter {
    const world = this
    return {
      async *find(key, { signal } = {}) {
        const self = world.#byName.get(name)
        if (!self?.alive) return
        cost.lookups++
        const found = new AsyncQueue<{ readonly peer: string; readonly kind: 'near' | 'closest' }>()
        const stop = new AbortController()
        const stopped = AbortSignal.any(signal ? [signal, stop.signal] : [stop.signal])
        setMaxListeners(0, stopped) // one for each query
        const running = lookUp(self, ...placeOf(key), {
          parameters: world.#parameters,
          random: world.#random,
          clock: world.#clock,
          tableOf: place => world.#tableOf(place),
          latencyMs: world.#latencyMs,
          signal: stopped,
          onQuery: () => void cost.queries++,
          onLost: () => void cost.lost++,
          onAnswer(peer, hop) {
            onAnswer(peer.name, hop)
            found.push({ peer: peer.name, kind: 'near' })
          },
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

  /** The peers that truly are closest to a key and live. Reads all nodes. */
  closest(key: Uint8Array, count: number, but: string): readonly string[] {
    const compare = byDistanceTo(...placeOf(key))
    let best: Place[] = []
    for (const place of this.#places) {
      const last = best[count - 1]
      if (!place.alive || place.name === but || (last && compare(place, last) >= 0)) continue
      best = nearestOf([...best, place], compare, count)
    }
    return best.map(({ name }) => name)
  }

  /** Entries of a node's table now; for the memory figure. */
  tableSize(name: string): number {
    const place = this.#byName.get(name)
    return place ? this.#tableOf(place).length : 0
  }

  /** Up to k random members of each subtree beside the node's own, and of what shares `prefixLength` bits with it. */
  #tableOf(place: Place): Place[] {
    const now = this.#clock.monotonic()
    if (place.table && now - place.tableAt < REFRESH_MS) return place.table
    if (!this.#isSorted) {
      this.#places.sort((a, b) => a.high - b.high || a.low - b.low)
      this.#isSorted = true
    }
    const table: Place[] = []
    let [from, to] = [0, this.#places.length]
    for (let bit = 0; bit < this.#parameters.prefixLength && to - from > 1; bit++) {
      const middle = this.#split(from, to, bit)
      const isUpper = bitOf(place, bit) === 1
      const [otherFrom, otherTo] = isUpper ? [from, middle] : [middle, to]
      this.#draw(otherFrom, otherTo, table)
      ;[from, to] = isUpper ? [middle, to] : [from, middle]
    }
    this.#draw(from, to, table)
    place.table = table.filter(other => other !== place)
    place.tableAt = now
    return place.table
  }

  #draw(from: number, to: number, into: Place[]): void {
    const { k } = this.#parameters
    const size = to - from
    if (size <= k) {
      for (let index = from; index < to; index++) {
        const place = this.#places[index]
        if (place && (place.alive || this.#keepsDead)) into.push(place)
      }
      return
    }
    const drawn = new Set<Place>()
    for (let turn = 0; turn < 4 * k && drawn.size < k; turn++) {
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

function placeOf(id: string | Uint8Array): [high: number, low: number] {
  const hash = createHash('sha256').update(id).digest()
  return [hash.readUInt32BE(0), hash.readUInt32BE(4)]
}
