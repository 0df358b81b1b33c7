import type { Random } from '../../utils/random.ts'

/**
 * Who stands behind each name since a change: for every arm a belief over profiles. A profile is what the static router
 * estimates of one of its arms, or a flat level for a behaviour nobody had before.
 */
export interface Segment {
  readonly arms: number
  /** Log-likelihood of the feedback since the change, `arms x profiles`. */
  readonly logs: Float64Array
  /** The belief, made of `logs` when it is asked for. */
  belief: Float64Array | undefined
}

/** Shares of right answers of arms that behave like none that was known. */
const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9] as const
/** Natural log of the weight of such a behaviour against a known one before any feedback. */
const LEVEL_PRIOR = -3
/** Rounds of Sinkhorn's scaling; more change no decision. */
const ROUNDS = 10

export function createSegment(arms: number): Segment {
  const profiles = arms + LEVELS.length
  const logs = Float64Array.from({ length: arms * profiles }, (_, at) => (at % profiles < arms ? 0 : LEVEL_PRIOR))
  return { arms, logs, belief: undefined }
}

/** Feedback on an arm: every profile is judged by what it foretold for this task. */
export function updateSegment(segment: Segment, arm: number, estimates: ArrayLike<number>, score: number): void {
  const { arms, logs } = segment
  const profiles = arms + LEVELS.length
  for (let profile = 0; profile < profiles; profile++) {
    const quality = qualityOf(profile, arms, estimates)
    const at = arm * profiles + profile
    logs[at] = (logs[at] ?? 0) + Math.log(score * quality + (1 - score) * (1 - quality))
  }
  segment.belief = undefined
}

/** Expected share of right answers of an arm for a task. */
export function expectation(segment: Segment, arm: number, estimates: ArrayLike<number>): number {
  const { arms } = segment
  const profiles = arms + LEVELS.length
  const belief = beliefOf(segment)
  let sum = 0
  for (let profile = 0; profile < profiles; profile++)
    sum += (belief[arm * profiles + profile] ?? 0) * qualityOf(profile, arms, estimates)
  return sum
}

/** The same under one draw of the arm's profile. */
export function sample(segment: Segment, arm: number, estimates: ArrayLike<number>, random: Random): number {
  const { arms } = segment
  const profiles = arms + LEVELS.length
  const belief = beliefOf(segment)
  let left = random.next()
  let profile = 0
  for (; profile < profiles - 1; profile++) {
    left -= belief[arm * profiles + profile] ?? 0
    if (left <= 0) break
  }
  return qualityOf(profile, arms, estimates)
}

const qualityOf = (profile: number, arms: number, estimates: ArrayLike<number>): number =>
  Math.min(0.98, Math.max(0.02, profile < arms ? (estimates[profile] ?? 0.5) : (LEVELS[profile - arms] ?? 0.5)))

/** Rows sum to 1; no known profile is taken by more than one arm, which Sinkhorn's scaling of the columns sees to. */
function beliefOf(segment: Segment): Float64Array {
  if (segment.belief) return segment.belief
  const { arms, logs } = segment
  const profiles = arms + LEVELS.length
  const belief = new Float64Array(logs.length)
  for (let arm = 0; arm < arms; arm++) {
    const row = logs.subarray(arm * profiles, (arm + 1) * profiles)
    const top = Math.max(...row)
    for (let profile = 0; profile < profiles; profile++)
      belief[arm * profiles + profile] = Math.exp((row[profile] ?? 0) - top)
  }
  scaleRows(belief, profiles)
  for (let round = 0; round < ROUNDS; round++) {
    for (let profile = 0; profile < arms; profile++) {
      let sum = 0
      for (let at = profile; at < belief.length; at += profiles) sum += belief[at] ?? 0
      if (sum > 0) for (let at = profile; at < belief.length; at += profiles) belief[at] = (belief[at] ?? 0) / sum
    }
    scaleRows(belief, profiles)
  }
  segment.belief = belief
  return belief
}

function scaleRows(matrix: Float64Array, width: number): void {
  for (let start = 0; start < matrix.length; start += width) {
    let sum = 0
    for (let at = start; at < start + width; at++) sum += matrix[at] ?? 0
    for (let at = start; at < start + width; at++) matrix[at] = (matrix[at] ?? 0) / Math.max(1e-300, sum)
  }
}
