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
  /** Pieces of text that came one after another. @default 1 */
  readonly parts?: number
  /** Another candidate answered first: the call had no part yet when it was cut. */
  readonly outrun?: boolean
}

/** Models at nodes remembered: identities that come and go must not be kept for good. */
const MAX_REMEMBERED = 4096
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

/** An answer in so many pieces shows by itself how fast its model is, whatever it waited for before. */
const STREAMED_PARTS = 3

interface Seen {
  outstanding: number
  times: number[]
  /** The same, as they would have been without work before them. */
  aloneTimes: number[]
  /** How many times longer an answer alone takes than its streaming shows: the prompt is read before it. */
  overhead: number
  /** Tokens per second; 0 while nothing was measured. */
  speed: number
  best: number
  speedAt: number
}

export function createCallRecord({ clock }: { readonly clock: Clock }): CallRecord {
  const seen = new Map<string, Seen>()
  const of = (name: string): Seen => {
    const found = seen.get(name) ?? { ...NOTHING, times: [], aloneTimes: [] }
    seen.delete(name)
    seen.set(name, found)
    if (seen.size > MAX_REMEMBERED) forgetOldest()
    return found
  }
  const forgetOldest = (): void => {
    for (const [name, { outstanding }] of seen) if (outstanding === 0) return void seen.delete(name)
  }
  const timed = (record: Seen, ms: number, load: number): void => {
    keep(record.times, ms)
    keep(record.aloneTimes, ms / load)
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
        const before = Math.max(1, load)
        if (outrun) {
          // as much slower than before as it was later than usual, at the least
          const usual = before * (quantileOf(record.aloneTimes, 0.5) ?? Number.POSITIVE_INFINITY)
          if (ms <= usual) return
          timed(record, ms, before)
          if (record.speed > 0) measured(record, (record.speed * usual) / ms)
          return
        }
        if (firstPartMs !== undefined) timed(record, firstPartMs, before)
        if (completionTokens < 1 || ms <= 0) return
        measured(record, (completionTokens / aloneMs(record, outcome, ms, before)) * 1000)
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

const NOTHING: Omit<Seen, 'times' | 'aloneTimes'> = { outstanding: 0, overhead: 1, speed: 0, best: 0, speedAt: 0 }

/**
 * What the call would have taken with no work before it. A queue cannot be seen from here, and its expected length is a
 * guess; the pace at which text comes is not.
 */
function aloneMs(record: Seen, { firstPartMs = 0, parts = 1 }: CallOutcome, ms: number, load: number): number {
  const streamedMs = ms - firstPartMs
  if (parts < STREAMED_PARTS) return Math.max(ms / load, streamedMs)
  const paceMs = (streamedMs * parts) / (parts - 1)
  if (load > 1) return Math.min(ms, paceMs * record.overhead)
  record.overhead += SMOOTHING * (Math.max(1, ms / Math.max(1, paceMs)) - record.overhead)
  return ms
}

function keep(times: number[], ms: number): void {
  times.push(ms)
  if (times.length > KEPT_TIMES) times.shift()
}

function quantileOf(times: readonly number[], quantile: number): number | undefined {
  if (times.length < MIN_TIMES) return undefined
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]
}
