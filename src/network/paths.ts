import type { Clock } from '../utils/clock.ts'

/** One way to a peer: an address it can be dialled at, or a connection. */
export interface Path {
  /** Multiaddr without the id of the peer. */
  readonly address: string
  /** Leads through a third node. */
  readonly relayed: boolean
  /** Smoothed time until it answers; absent until it was measured. */
  readonly delayMs?: number
  /** Failures of late: each counts half after a minute. A connection that was lost soon counts as one. */
  readonly failures: number
  /** Streams that this node has open over it. */
  readonly streams: number
}

/** Expected delays of what was not measured, from the best kind to the worst; so that what works is preferred to it. */
const ASSUMED_MS = { direct: 100, webSocket: 110, loopback: 150, relayed: 400 }
/** A lost connection costs a new handshake and a new start of what ran over it. */
const FAILURE_MS = 2000
/** Streams that share a connection fairly make each other wait: with so many it takes twice as long. */
const STREAMS_FOR_DOUBLE = 16
/** A path is left for another one only if that is so much better: else two equal ones would be changed all the time. */
const GAIN = 0.7

/** Milliseconds that an exchange over this path is expected to take, failures included. */
export function pathCost({ address, relayed, delayMs, failures, streams }: Path): number {
  const assumed = relayed
    ? ASSUMED_MS.relayed
    : /^\/ip4\/127\.|^\/ip6\/::1\//.test(address)
      ? ASSUMED_MS.loopback
      : /\/wss?(\/|$)/.test(address)
        ? ASSUMED_MS.webSocket
        : ASSUMED_MS.direct
  return (delayMs ?? assumed) * (1 + streams / STREAMS_FOR_DOUBLE) + failures * FAILURE_MS
}

/** The path of the least cost; the one used before unless another is clearly better. Undefined when there is none. */
export function choosePath<T extends Path>(paths: readonly T[], before?: string): T | undefined {
  const [best] = paths.toSorted((a, b) => pathCost(a) - pathCost(b))
  const current = paths.find(({ address }) => address === before)
  return best && current && pathCost(best) > GAIN * pathCost(current) ? current : best
}

interface Remembered {
  delayMs?: number
  failures: number
  at: number
}

const HALF_LIFE_MS = 60_000
/** A connection that lived longer than this was no failure of its path when it ended. */
const STABLE_MS = 30_000
const MAX_PATHS = 1024
/** Weight of the newest measurement, as in TCP (RFC 6298). */
const NEWEST = 0.125

/** What was seen of paths, by address; of `MAX_PATHS` of them, the ones unused for longest forgotten. */
export class PathMemory {
  readonly #paths = new Map<string, Remembered>()
  readonly #clock: Pick<Clock, 'monotonic'>

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** It answered after so many milliseconds. */
  answered(address: string, ms: number): void {
    const path = this.#touch(address)
    path.delayMs = path.delayMs === undefined ? ms : path.delayMs + NEWEST * (ms - path.delayMs)
  }

  /** It did not answer. */
  failed(address: string): void {
    this.#touch(address).failures++
  }

  /** A connection over it ended after so many milliseconds, and not by our will. */
  lost(address: string, livedMs: number): void {
    this.#touch(address).failures += Math.min(1, STABLE_MS / Math.max(1, livedMs)) ** 2
  }

  path(address: string, { relayed, streams = 0 }: { relayed: boolean; streams?: number }): Path {
    const known = this.#paths.get(address)
    const failures = known ? this.#decayed(known) : 0
    return { address, relayed, failures, streams, ...(known?.delayMs !== undefined && { delayMs: known.delayMs }) }
  }

  #decayed({ failures, at }: Remembered): number {
    return failures * 0.5 ** ((this.#clock.monotonic() - at) / HALF_LIFE_MS)
  }

  #touch(address: string): Remembered {
    const known = this.#paths.get(address)
    const path: Remembered = known ?? { failures: 0, at: 0 }
    path.failures = known ? this.#decayed(known) : 0
    path.at = this.#clock.monotonic()
    this.#paths.delete(address)
    this.#paths.set(address, path)
    const [oldest] = this.#paths.keys()
    if (this.#paths.size > MAX_PATHS && oldest !== undefined) this.#paths.delete(oldest)
    return path
  }
}
