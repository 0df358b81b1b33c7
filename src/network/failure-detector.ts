/** What is remembered of the heartbeats of one peer: the last arrival and the last intervals, in ms. */
export interface HeartbeatHistory {
  readonly lastAt: number
  readonly intervals: readonly number[]
}

export interface FailureDetectorOptions {
  /** Time between heartbeats expected before any was measured, in ms. @default 500 */
  readonly expectedIntervalMs?: number
  /** Silence beyond the mean that is forgiven: a garbage collection, a busy core. @default 300 */
  readonly acceptablePauseMs?: number
  /** The smallest deviation assumed: without it a perfectly regular peer would be suspected for a hiccup. @default 100 */
  readonly minDeviationMs?: number
}

/** Suspicion at which a peer gets no new work: the chance of being wrong is 10^-8 if intervals are normal. */
export const SUSPECT_PHI = 8
const MAX_INTERVALS = 32

export const startHistory = (at: number): HeartbeatHistory => ({ lastAt: at, intervals: [] })

/** The history after a heartbeat. One that arrives before the last is ignored. */
export function heartbeat(history: HeartbeatHistory, at: number): HeartbeatHistory {
  const interval = at - history.lastAt
  if (interval <= 0) return history
  return { lastAt: at, intervals: [...history.intervals, interval].slice(-MAX_INTERVALS) }
}

/** The history with a stretch taken out in which this node itself stood still, and could not have heard anything. */
export const forgive = (history: HeartbeatHistory, ms: number): HeartbeatHistory => ({
  ...history,
  lastAt: history.lastAt + Math.max(0, ms),
})

/**
 * Phi-accrual suspicion (Hayashibara et al., SRDS 2004): -log10 of the probability that a heartbeat comes later than
 * now, under a normal distribution of the intervals seen. Grows with silence and never falls without a heartbeat.
 */
export function phi(history: HeartbeatHistory, now: number, options: FailureDetectorOptions = {}): number {
  const { expectedIntervalMs = 500, acceptablePauseMs = 300, minDeviationMs = 100 } = options
  // The expectation stands for the first interval, so that one early heartbeat does not set the pace.
  const intervals = [expectedIntervalMs, ...history.intervals]
  const mean = intervals.reduce((sum, value) => sum + value, 0) / intervals.length
  const variance = intervals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / intervals.length
  const deviation = Math.max(minDeviationMs, Math.sqrt(variance))
  const y = (now - history.lastAt - mean - acceptablePauseMs) / deviation
  return -Math.log10(upperTail(y))
}

/** 1 - Φ(y), by the logistic approximation with error below 1.4e-4 near the middle and the right order in the tail. */
function upperTail(y: number): number {
  if (y > 30) return Number.MIN_VALUE
  const e = Math.exp(-y * (1.5976 + 0.070566 * y * y))
  return Math.max(Number.MIN_VALUE, e / (1 + e))
}
