import type { Random } from '../../utils/random.ts'
import type { Segment } from './behaviour.ts'
import { createSegment, expectation, sample, updateSegment } from './behaviour.ts'

export interface OnlineOptions {
  /** Probability per task that arms are no longer what the estimates say. @default 0.0001 */
  readonly hazard?: number
  /** Share of tasks that are audited though nothing is in doubt; 0 means that only the chosen arm is ever asked. @default 0.1 */
  readonly auditRate?: number
  /** Other arms asked in one audit. @default 4 */
  readonly auditArms?: number
  /** Expected loss of a choice, in quality, from which on a task is audited. @default 0.0005 */
  readonly tolerance?: number
}

/** Learns from feedback on the arms that were asked, on top of the estimates of a static router. For up to 100 arms. */
export interface OnlineRouter {
  /** The arm to ask, once per task, by the static estimates of the task and all feedback so far. */
  choose(estimates: ArrayLike<number>): number
  /** What `choose` goes by, once per task: expected quality per arm; without audits, a Thompson draw of it. */
  expect(estimates: ArrayLike<number>): Float64Array
  /**
   * Other arms worth asking the same question, to learn and not to answer: some at random in calm times, more often
   * while it is in doubt which arm is which. Empty without audits.
   */
  audit(estimates: ArrayLike<number>, chosen: number): readonly number[]
  /** Feedback on one answer of one arm to a task with these estimates: 0 wrong .. 1 right. */
  learn(estimates: ArrayLike<number>, arm: number, score: number): void
  /** Probability that the arms have changed since the static router was trained. */
  readonly changed: number
}

/** Segments kept: the least likely of the older ones makes room. */
const MAX_SEGMENTS = 8
/** Segments below this share do not take part in a decision. */
const NEGLIGIBLE = 1e-5
/** Draws for the expected loss of a choice. */
const DRAWS = 6
export const MAX_ARMS = 100

/**
 * Bayesian online change-point detection (Adams and MacKay 2007) over who stands behind each name. Before a change every
 * arm behaves as estimated; after one, each behaves like some arm of the static router, no two alike, or like none of
 * them (`behaviour.ts`). Every task may begin a new segment; feedback weighs the segments by how well each foretold it.
 * With audits the arm of the greatest expected quality is asked; without, a Thompson draw (C8) under the likeliest segment explores.
 */
export function createOnlineRouter(
  arms: number,
  { random }: { readonly random: Random },
  options: OnlineOptions = {},
): OnlineRouter {
  const { hazard = 1e-4, auditRate = 0.1, auditArms = 4, tolerance = 5e-4 } = options
  if (!(arms >= 1 && arms <= MAX_ARMS)) throw new RangeError(`expected 1 to ${MAX_ARMS} arms, got ${arms}`)
  /** Undefined is the segment in which the estimates hold. */
  let segments: { logWeight: number; readonly behaviour: Segment | undefined }[] = [
    { logWeight: 0, behaviour: undefined },
  ]

  function shares(): readonly { readonly share: number; readonly behaviour: Segment | undefined }[] {
    const top = Math.max(...segments.map(({ logWeight }) => logWeight))
    const weights = segments.map(({ logWeight }) => Math.exp(logWeight - top))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return segments.map(({ behaviour }, at) => ({ share: (weights[at] ?? 0) / total, behaviour }))
  }

  function begin(): void {
    segments.push({ logWeight: Math.log(hazard), behaviour: createSegment(arms) })
    if (segments.length <= MAX_SEGMENTS) return
    // the newest had no time to show what they foretell
    const old = segments.slice(0, -2)
    const weakest = old.reduce((a, b) => (b.logWeight < a.logWeight ? b : a))
    segments = segments.filter(segment => segment !== weakest)
  }

  function mean(estimates: ArrayLike<number>): Float64Array {
    const result = new Float64Array(arms)
    for (const { share, behaviour } of shares()) {
      if (share < NEGLIGIBLE) continue
      for (let arm = 0; arm < arms; arm++)
        result[arm] =
          (result[arm] ?? 0) +
          share * (behaviour ? expectation(behaviour, arm, estimates) : bounded(estimates[arm] ?? 0.5))
    }
    return result
  }

  function expect(estimates: ArrayLike<number>): Float64Array {
    begin()
    if (auditRate > 0) return mean(estimates)
    return drawn(segments.reduce((a, b) => (b.logWeight > a.logWeight ? b : a)).behaviour, estimates)
  }

  function drawn(behaviour: Segment | undefined, estimates: ArrayLike<number>): Float64Array {
    return Float64Array.from({ length: arms }, (_, arm) =>
      behaviour ? sample(behaviour, arm, estimates, random) : (estimates[arm] ?? 0.5),
    )
  }

  /** What the choice is expected to lose against the best arm, by draws of who is who. */
  function doubt(estimates: ArrayLike<number>, chosen: number): number {
    let loss = 0
    for (const { share, behaviour } of shares()) {
      if (share < NEGLIGIBLE) continue
      const draws = behaviour ? DRAWS : 1
      for (let draw = 0; draw < draws; draw++) {
        const qualities = drawn(behaviour, estimates)
        loss += (share / draws) * (Math.max(...qualities) - (qualities[chosen] ?? 0))
      }
    }
    return loss
  }

  return {
    get changed() {
      return shares().reduce((sum, { share, behaviour }) => sum + (behaviour ? share : 0), 0)
    },
    choose: estimates => indexOfMax(expect(estimates)),
    expect,
    audit(estimates, chosen) {
      if (auditRate <= 0) return []
      if (random.next() >= auditRate && doubt(estimates, chosen) <= tolerance) return []
      const others = Array.from({ length: arms }, (_, arm) => ({ arm, rank: random.next() }))
      return others
        .filter(({ arm }) => arm !== chosen)
        .sort((a, b) => a.rank - b.rank)
        .slice(0, auditArms)
        .map(({ arm }) => arm)
    },
    learn(estimates, arm, score) {
      if (!(score >= 0 && score <= 1 && arm >= 0 && arm < arms)) return
      for (const segment of segments) {
        const quality = segment.behaviour
          ? expectation(segment.behaviour, arm, estimates)
          : bounded(estimates[arm] ?? 0.5)
        segment.logWeight += Math.log(score * quality + (1 - score) * (1 - quality))
        if (segment.behaviour) updateSegment(segment.behaviour, arm, estimates, score)
      }
      const top = Math.max(...segments.map(({ logWeight }) => logWeight))
      for (const segment of segments) segment.logWeight -= top
    },
  }
}

/** Nothing is certain: one answer must not rule out a segment for ever. */
const bounded = (quality: number): number => Math.min(0.98, Math.max(0.02, quality))

function indexOfMax(values: ArrayLike<number>): number {
  let best = 0
  for (let at = 1; at < values.length; at++) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at
  return best
}
