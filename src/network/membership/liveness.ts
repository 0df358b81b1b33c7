import type { NodeState } from '../directory.ts'
import { forgive, type HeartbeatHistory, heartbeat, phi, SUSPECT_PHI, startHistory } from '../failure-detector.ts'

/** What this node knows of the life of one member, from its own link to it: others' opinions are not asked. */
export interface Liveness {
  readonly state: NodeState
  /** It has been alive since it was discovered or had left. */
  readonly joined: boolean
  /** Heartbeats of the open link; absent while there is none. */
  readonly heartbeats?: HeartbeatHistory
  /** Since when the member is not alive. Monotonic ms, as all times here. */
  readonly downSince?: number
  /** When to dial next, after so many attempts that failed. */
  readonly dialAt: number
  readonly attempts: number
  readonly rttMs?: number
}

export interface LivenessOptions {
  /** Suspected for so long, a member counts as left. @default 5000 */
  readonly leaveAfterMs: number
  /** Time between heartbeats. @default 500 */
  readonly heartbeatMs: number
  /** Silence forgiven beyond the usual. A lost connection is seen without it. @default 1000 */
  readonly pauseMs: number
}

export type Transition = 'joined' | 'suspected' | 'recovered' | 'left'

/** The new state of a member, and what happened to it if anything did. */
export interface Step {
  readonly liveness: Liveness
  readonly transition?: Transition
}

const FIRST_RETRY_MS = 200
/** Dialled so often when it is down, a partition heals within 5 s. */
export const MAX_RETRY_MS = 2500
/** Dials to members that are down, all together, per second: with many down each is dialled less often. */
const DIALS_PER_SECOND = 20
/** Weight of the newest round trip in the smoothed one, as in TCP (RFC 6298). */
const RTT_GAIN = 0.125

/** A member heard of and not yet reached: no work goes there before. */
export const discovered = (now: number, dialAt: number = now): Liveness => ({
  state: 'suspect',
  joined: false,
  downSince: now,
  dialAt,
  attempts: 0,
})

export function linkUp(liveness: Liveness, now: number): Step {
  return toAlive(liveness, { heartbeats: startHistory(now), dialAt: now, attempts: 0 })
}

/** The link is lost: no new work at once, and it is dialled again at once. */
export function linkDown(liveness: Liveness, now: number): Step {
  const { heartbeats: _, ...rest } = liveness
  if (liveness.state === 'left') return { liveness: rest }
  const down: Liveness = { ...rest, state: 'suspect', downSince: liveness.downSince ?? now, dialAt: now }
  return { liveness: down, ...(liveness.state === 'alive' ? { transition: 'suspected' as const } : {}) }
}

/** Something came from the member over its link. */
export function heard(liveness: Liveness, now: number, rttMs?: number): Step {
  if (!liveness.heartbeats || liveness.dialAt === Number.POSITIVE_INFINITY) return { liveness }
  return toAlive(liveness, {
    heartbeats: heartbeat(liveness.heartbeats, now),
    ...(rttMs === undefined ? {} : { rttMs: smooth(liveness.rttMs, rttMs) }),
  })
}

/** Time has passed; `stalledMs` of it this node itself stood still, which is held against nobody. */
export function tick(liveness: Liveness, now: number, stalledMs: number, options: LivenessOptions): Step {
  const current = stalledMs > 0 ? excuse(liveness, stalledMs) : liveness
  const { state, heartbeats, downSince } = current
  if (state === 'alive') {
    const silent = heartbeats && suspicion(heartbeats, now, options) >= SUSPECT_PHI
    if (!silent) return { liveness: current }
    return { liveness: { ...current, state: 'suspect', downSince: now }, transition: 'suspected' }
  }
  if (state === 'left' || downSince === undefined || now - downSince < options.leaveAfterMs)
    return { liveness: current }
  return toLeft(current)
}

/** The member said that it goes: it is not looked for again until a newer record of it comes. */
export function goodbye(liveness: Liveness): Step {
  return toLeft({ ...liveness, dialAt: Number.POSITIVE_INFINITY })
}

/** A newer record of a member came, so it lives somewhere: look for it soon, whatever failed before. */
export function renewed(liveness: Liveness, dialAt: number): Liveness {
  return liveness.heartbeats ? liveness : { ...liveness, dialAt, attempts: 0 }
}

/** After a failed dial. `jitter` is uniform in [0, 1); `down` is the number of members that are down. */
export function dialFailed(liveness: Liveness, now: number, jitter: number, down: number): Liveness {
  if (liveness.dialAt === Number.POSITIVE_INFINITY) return liveness
  const most = Math.max(MAX_RETRY_MS, (down / DIALS_PER_SECOND) * 1000)
  const wait = Math.min(most, FIRST_RETRY_MS * 2 ** Math.min(liveness.attempts, 10))
  // Half of the wait is random, so that two nodes do not dial each other in step for ever.
  return { ...liveness, attempts: liveness.attempts + 1, dialAt: now + wait * (0.5 + jitter / 2) }
}

function toAlive(liveness: Liveness, news: Partial<Liveness>): Step {
  const { downSince: _, ...rest } = liveness
  const alive: Liveness = { ...rest, ...news, state: 'alive', joined: true }
  if (liveness.state === 'alive') return { liveness: alive }
  return { liveness: alive, transition: liveness.joined ? 'recovered' : 'joined' }
}

function toLeft(liveness: Liveness): Step {
  const left: Liveness = { ...liveness, state: 'left', joined: false }
  return { liveness: left, ...(liveness.joined ? { transition: 'left' as const } : {}) }
}

const suspicion = (heartbeats: HeartbeatHistory, now: number, options: LivenessOptions): number =>
  phi(heartbeats, now, { expectedIntervalMs: options.heartbeatMs, acceptablePauseMs: options.pauseMs })

const smooth = (before: number | undefined, rttMs: number): number =>
  before === undefined ? rttMs : before + RTT_GAIN * (rttMs - before)

function excuse(liveness: Liveness, stalledMs: number): Liveness {
  return {
    ...liveness,
    ...(liveness.heartbeats ? { heartbeats: forgive(liveness.heartbeats, stalledMs) } : {}),
    ...(liveness.downSince === undefined ? {} : { downSince: liveness.downSince + stalledMs }),
  }
}
