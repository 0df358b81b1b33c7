import type { Clock } from '../utils/clock.ts'

/** What this node saw of its own calls to one model: the freshest sign of load there is. */
export interface CallRecord {
  /**
   * A call begins; the returned function ends it and says how it went. May be called twice. `load` is how many times
   * longer than alone the call was expected to take, for the work before it: a queue is no sign of a slow model.
   */
  begin(name: string, load?: number): (outcome?: CallOutcome) => void
  /** Calls of this node in flight. */
  outstanding(name: string): number
  /**
   * Completion tokens per second of one call alone, queueing taken off; undefined when none was seen. A model that was
   * slower than it can be, and was not called for a while, is taken to recover to its best or to what it `reported`
   * (0: nothing), so that it is tried again.
   */
  tokensPerSecond(name: string, reported: number): number | undefined
  /** The given quantile (0..1) of the time to the first part in ms; undefined below 10 calls. */
  firstPartMs(name: string, quantile: number): number | undefined
}

export interface CallOutcome {
  /** From the start of the call to its first part; absent when there was none. */
  readonly firstPartMs?: number
  readonly completionTokens?: number
  /** Another candidate answered first: the call had no part yet when it was cut. */
  readonly outrun?: boolean
}

/** Times kept per model for quantiles. */
const KEPT_TIMES = 64
const MIN_TIMES = 10
/** Weight of the newest call in the speed: about the last six calls count. */
const SMOOTHING = 0.3
/** A measured speed is believed for so long. */
const FRESH_MS = 5_000
/** After that, half of what a model is slower than at its best is forgiven in every such time. */
const FORGIVE_MS = 5_000
/** The best of a model is forgotten so slowly: half of its lead over the speed of now in about 350 calls. */
const BEST_DECAY = 0.002

interface Seen {
  outstanding: number
  times: number[]
  /** Tokens per second; 0 while nothing was measured. */
  speed: number
  best: number
  speedAt: number
}

export function createCallRecord({ clock }: { readonly clock: Clock }): CallRecord {
  const seen = new Map<string, Seen>()
  const of = (name: string): Seen => {
    const found = seen.get(name) ?? { outstanding: 0, times: [], speed: 0, best: 0, speedAt: 0 }
    seen.set(name, found)
    return found
  }
  const timed = (record: Seen, ms: number): void => {
    record.times.push(ms)
    if (record.times.length > KEPT_TIMES) record.times.shift()
  }
  const measured = (record: Seen, speed: number): void => {
    record.speed = record.speed === 0 ? speed : record.speed + SMOOTHING * (speed - record.speed)
    record.best = Math.max(record.speed, record.best - BEST_DECAY * (record.best - record.speed))
    record.speedAt = clock.monotonic()
  }
  return {
    begin(name, load = 1) {
      const record = of(name)
      const start = clock.monotonic()
      record.outstanding++
      let ended = false
      return (outcome = {}) => {
        if (ended) return
        ended = true
        record.outstanding--
        const { firstPartMs, completionTokens = 0, outrun = false } = outcome
        const ms = clock.monotonic() - start
        if (outrun) {
          // as much slower than before as it was later than usual, at the least
          const usual = quantileOf(record.times, 0.5) ?? Number.POSITIVE_INFINITY
          if (ms <= usual) return
          timed(record, ms)
          if (record.speed > 0) measured(record, (record.speed * usual) / ms)
          return
        }
        if (firstPartMs !== undefined) timed(record, firstPartMs)
        if (completionTokens < 1 || ms <= 0) return
        // the queue may have been shorter than expected, but what was streamed took its time
        const aloneMs = Math.max(ms / Math.max(1, load), ms - (firstPartMs ?? ms))
        measured(record, (completionTokens / aloneMs) * 1000)
      }
    },
    outstanding: name => seen.get(name)?.outstanding ?? 0,
    tokensPerSecond(name, reported) {
      const record = seen.get(name)
      if (!record || record.speed === 0) return undefined
      const idleMs = Math.max(0, clock.monotonic() - record.speedAt - FRESH_MS)
      const best = Math.max(record.best, reported)
      return best - (best - record.speed) * 2 ** (-idleMs / FORGIVE_MS)
    },
    firstPartMs: (name, quantile) => quantileOf(seen.get(name)?.times ?? [], quantile),
  }
}

function quantileOf(times: readonly number[], quantile: number): number | undefined {
  if (times.length < MIN_TIMES) return undefined
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
}
