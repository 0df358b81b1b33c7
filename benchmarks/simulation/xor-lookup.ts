import type { Clock } from '../../src/utils/clock.ts'
import type { Random } from '../../src/utils/random.ts'

/** A node of the model: its place is the first 64 bits of its hashed id, enough to order any network simulated here. */
export interface Place {
  readonly name: string
  readonly high: number
  readonly low: number
  alive: boolean
  table?: Place[]
  tableAt: number
  /** Peers it holds a connection to, the newest last. */
  readonly connected: Set<Place>
}

export interface LookupParameters {
  /** Peers of an answer, and closest peers of a lookup: Kademlia's k. */
  readonly k: number
  /** Queries a path has in flight. */
  readonly alpha: number
  /** Paths that share no peer; each begins with its part of the k closest known. */
  readonly paths: number
}

export interface LookupEnvironment {
  readonly parameters: LookupParameters
  readonly random: Random
  readonly clock: Clock
  readonly tableOf: (place: Place) => readonly Place[]
  readonly latencyMs: (from: string, to: string) => number
  /** A peer is asked now. */
  readonly onQuery: (peer: Place) => void
  /** `hop` is 1 for a peer of the asker's own table, 2 for one it told of, and so on. */
  readonly onAnswer: (peer: Place, hop: number) => void
  /** The peer that is asked is gone. */
  readonly onLost: (peer: Place) => void
  readonly signal: AbortSignal
}

/** A dial that nobody answers, as the host of the product waits in a network with a DHT. */
const DIAL_TIMEOUT_MS = 2000
/** Round trips of a query to a peer that is not connected: TCP, encryption, the protocol, and the query itself. */
const COLD_ROUND_TRIPS = 4
/** libp2p's default limit of connections. */
const MAX_CONNECTIONS = 300

export const byDistanceTo =
  (high: number, low: number) =>
  (a: Place, b: Place): number =>
    ((a.high ^ high) >>> 0) - ((b.high ^ high) >>> 0) || ((a.low ^ low) >>> 0) - ((b.low ^ low) >>> 0)

/** The nearest of many, nearest first: one pass that keeps `count`, since a table is longer than what is asked of it. */
export function nearestOf(places: readonly Place[], compare: (a: Place, b: Place) => number, count: number): Place[] {
  const nearest: Place[] = []
  for (const place of places) {
    const last = nearest[count - 1]
    if (last && compare(place, last) >= 0) continue
    let at = Math.min(nearest.length, count - 1)
    for (; at > 0; at--) {
      const before = nearest[at - 1] as Place
      if (compare(before, place) <= 0) break
      nearest[at] = before
    }
    nearest[at] = place
  }
  return nearest
}

/**
 * The lookup of libp2p's kad-dht 16.4 (`query/manager.ts`, `query/query-path.ts`), message for message: disjoint paths
 * of the k closest known peers, on each the nearest first; who is told of is asked if no path has met it, if it is closer
 * than who told of it and could still be among the k closest of the path. Resolves to the k closest that answered.
 */
export async function lookUp(
  self: Place,
  high: number,
  low: number,
  environment: LookupEnvironment,
): Promise<readonly Place[]> {
  const { parameters, random, tableOf, onAnswer } = environment
  const { k, alpha, paths } = parameters
  const compare = byDistanceTo(high, low)
  const started = shuffled(nearestOf(tableOf(self), compare, k), random)
  const hops = new Map<Place, number>([self, ...started].map(place => [place, place === self ? 0 : 1]))
  const answered: Place[] = []

  const walk = async (begin: readonly Place[]): Promise<void> => {
    let closest: Place[] = []
    let queue = begin.toSorted(compare)
    const running = new Set<Promise<void>>()
    const canEnter = (place: Place): boolean => {
      const last = closest[k - 1]
      return last === undefined || compare(place, last) < 0
    }
    const ask = async (peer: Place): Promise<void> => {
      if (!(await query(self, peer, environment))) return
      const hop = hops.get(peer) ?? 0
      onAnswer(peer, hop)
      answered.push(peer)
      closest = nearestOf([...closest, peer], compare, k)
      for (const told of nearestOf(tableOf(peer), compare, k)) {
        if (hops.has(told) || compare(told, peer) >= 0 || !canEnter(told)) continue
        hops.set(told, hop + 1)
        queue.push(told)
      }
      queue = queue.toSorted(compare)
    }
    while (queue.length > 0 || running.size > 0) {
      const next = running.size < alpha ? queue.shift() : undefined
      if (next === undefined) await Promise.race(running)
      else if (canEnter(next)) {
        const one: Promise<void> = ask(next).finally(() => running.delete(one))
        running.add(one)
        one.catch(() => undefined) // seen by the race
      }
    }
  }

  await Promise.all(Array.from({ length: paths }, (_, path) => walk(started.filter((_, at) => at % paths === path))))
  return nearestOf(answered, compare, k)
}

/** Asks one peer, which takes its time; false when it does not answer. */
async function query(self: Place, peer: Place, environment: LookupEnvironment): Promise<boolean> {
  const { clock, latencyMs, onQuery, onLost, signal } = environment
  onQuery(peer)
  if (!peer.alive) onLost(peer)
  const isWarm = self.connected.has(peer)
  const roundTrips = isWarm ? 1 : COLD_ROUND_TRIPS
  const ms = peer.alive ? 2 * roundTrips * latencyMs(self.name, peer.name) : DIAL_TIMEOUT_MS
  await clock.sleep(ms, signal)
  if (!peer.alive) {
    self.connected.delete(peer)
    return false
  }
  connect(self, peer)
  connect(peer, self)
  return true
}

function connect(from: Place, to: Place): void {
  from.connected.delete(to)
  from.connected.add(to)
  const [oldest] = from.connected
  if (from.connected.size > MAX_CONNECTIONS && oldest) {
    from.connected.delete(oldest)
    oldest.connected.delete(from)
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const pool = [...items]
  for (let at = pool.length - 1; at > 0; at--) {
    const other = Math.floor(random.next() * (at + 1))
    const [a, b] = [pool[at], pool[other]]
    pool[at] = b as T // both are within
    pool[other] = a as T
  }
  return pool
}
