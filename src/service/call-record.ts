import type { Clock } from '../utils/clock.ts'

/** What this node saw of its own calls to one model: the freshest sign of load there is. */
export interface CallRecord {
  /** A call begins; the returned function ends it and says how it went. May be called twice. */
  begin(name: string): (outcome?: CallOutcome) => void
  /** Calls of this node in flight. */
  outstanding(name: string): number
  /** Completion tokens per second of recent calls, queueing included; undefined when none is recent. */
  tokensPerSecond(name: string): number | undefined
  /** The given quantile (0..1) of the time to the first part in ms; undefined below 10 calls. */
  firstPartMs(name: string, quantile: number): number | undefined
}

export interface CallOutcome {
  /** From the start of the call to its first part; absent when there was none. */
  readonly firstPartMs?: number
  readonly completionTokens?: number
}

/** Times kept per model for quantiles. */
const KEPT_TIMES = 64
const MIN_TIMES = 10
/** A measured speed is believed for so long; after that the node's own status counts again, so a recovered node returns. */
const FRESH_MS = 5_000

interface Seen {
  outstanding: number
  times: number[]
  speed: number
  speedAt: number
}

export function createCallRecord({ clock }: { readonly clock: Clock }): CallRecord {
  const seen = new Map<string, Seen>()
  const of = (name: string): Seen => {
    const found = seen.get(name) ?? { outstanding: 0, times: [], speed: 0, speedAt: Number.NEGATIVE_INFINITY }
    seen.set(name, found)
    return found
  }
  return {
    begin(name) {
      const record = of(name)
      const start = clock.monotonic()
      record.outstanding++
      let ended = false
      return (outcome = {}) => {
        if (ended) return
        ended = true
        record.outstanding--
        const { firstPartMs, completionTokens = 0 } = outcome
        if (firstPartMs !== undefined) {
          record.times.push(firstPartMs)
          if (record.times.length > KEPT_TIMES) record.times.shift()
        }
        const ms = clock.monotonic() - start
        if (completionTokens < 1 || ms <= 0) return
        const speed = (completionTokens / ms) * 1000
        const fresh = clock.monotonic() - record.speedAt < FRESH_MS
        record.speed = fresh ? record.speed * 0.7 + speed * 0.3 : speed
        record.speedAt = clock.monotonic()
      }
    },
    outstanding: name => seen.get(name)?.outstanding ?? 0,
    tokensPerSecond(name) {
      const record = seen.get(name)
      return record && clock.monotonic() - record.speedAt < FRESH_MS ? record.speed : undefined
    },
    firstPartMs(name, quantile) {
      const times = seen.get(name)?.times
      if (!times || times.length < MIN_TIMES) return undefined
      const sorted = [...times].sort((a, b) => a - b)
      return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
    },
  }
}
