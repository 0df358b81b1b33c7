import type { Random } from '../../utils/random.ts'

export interface OnlineOptions {
  /** Answers the static estimate stands for: enough that a good one is followed until it is found to be out of date. @default 1000 */
  readonly priorAnswers?: number
  /** Weight that stays of older feedback with each new one of the same arm; 1 never forgets. @default 0.995 */
  readonly memory?: number
  /** Surprise at which an arm counts as changed (Page-Hinkley, in answers). @default 10 */
  readonly alarm?: number
}

/** Learns from feedback on the arms it chose, on top of a static router. */
export interface OnlineRouter {
  /** The arm to ask: the best by static estimate and feedback; after a change, a Thompson draw per arm. */
  choose(context: number, estimates: ArrayLike<number>): number
  /** Feedback on one answer: 0 wrong .. 1 right. */
  learn(context: number, arm: number, estimate: number, score: number): void
  /** Arms that were found to have changed so far. */
  changes(): number
}

interface Belief {
  /** Discounted sums of score, and of answers. */
  right: number
  asked: number
}

/**
 * Contextual discounted Thompson sampling (C8). The static estimate is the prior: a Beta of `priorAnswers` answers per
 * context (a cluster of questions) and arm. A Page-Hinkley test per arm on score minus estimate finds changes in either
 * direction; then the prior of that arm is withdrawn and what was learned before is forgotten.
 */
export function createOnlineRouter(
  arms: number,
  contexts: number,
  { random }: { readonly random: Random },
  options: OnlineOptions = {},
): OnlineRouter {
  const { priorAnswers = 1000, memory = 0.995, alarm = 10 } = options
  const beliefs = Array.from({ length: arms * contexts }, (): Belief => ({ right: 0, asked: 0 }))
  const overall = Array.from({ length: arms }, (): Belief => ({ right: 0, asked: 0 }))
  const trust = new Float64Array(arms).fill(priorAnswers)
  const sums = Array.from({ length: arms }, () => ({ up: 0, down: 0 }))
  let changes = 0

  return {
    changes: () => changes,
    choose(context, estimates) {
      let best = 0
      let top = Number.NEGATIVE_INFINITY
      for (let arm = 0; arm < arms; arm++) {
        const { right, asked } = beliefs[context * arms + arm] ?? { right: 0, asked: 0 }
        const whole = overall[arm] ?? { right: 0, asked: 0 }
        const weight = trust[arm] ?? 0
        // once the static estimate is out of date, what the arm does in all contexts stands in for it
        const known = Math.min(whole.asked, CARRIED)
        const general = whole.asked > 0 ? whole.right / whole.asked : 0.5
        const alpha = right + weight * (estimates[arm] ?? 0.5) + (weight < priorAnswers ? known * general : 0) + 0.5
        const beta =
          asked -
          right +
          weight * (1 - (estimates[arm] ?? 0.5)) +
          (weight < priorAnswers ? known * (1 - general) : 0) +
          0.5
        // while the static estimate holds there is nothing to explore
        const draw = weight < priorAnswers ? sampleBeta(alpha, beta, random) : alpha / (alpha + beta)
        if (draw > top) {
          top = draw
          best = arm
        }
      }
      return best
    },
    learn(context, arm, estimate, score) {
      for (const belief of [beliefs[context * arms + arm], overall[arm]]) {
        if (!belief) continue
        belief.right = belief.right * memory + score
        belief.asked = belief.asked * memory + 1
      }
      const state = sums[arm]
      if (!state || (trust[arm] ?? 0) < priorAnswers) return
      state.up = Math.max(0, state.up + score - estimate - SLACK)
      state.down = Math.max(0, state.down + estimate - score - SLACK)
      if (Math.max(state.up, state.down) < alarm) return
      changes++
      // versions and places of models change together: one arm that changed puts all that was known in doubt
      trust.fill(DOUBTED)
      for (const belief of [...beliefs, ...overall]) {
        belief.right = 0
        belief.asked = 0
      }
      state.up = 0
      state.down = 0
    },
  }
}

/**
 * Deviation per answer that is taken for noise of the estimate. With answers of variance 0.22 an arm raises a false alarm
 * once in about exp(2 * 0.2 * 10 / 0.22) answers, and a fall by one half is found after 33.
 */
const SLACK = 0.2
/** Answers a doubted estimate still stands for, and answers of other contexts that are carried over. */
const DOUBTED = 1
const CARRIED = 2

/** Beta by two Gammas (Marsaglia and Tsang 2000). */
export function sampleBeta(alpha: number, beta: number, random: Random): number {
  const a = sampleGamma(alpha, random)
  const b = sampleGamma(beta, random)
  return a + b > 0 ? a / (a + b) : 0.5
}

function sampleGamma(shape: number, random: Random): number {
  if (shape < 1) return sampleGamma(shape + 1, random) * Math.max(1e-300, random.next()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  while (true) {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
    const v = (1 + c * normal) ** 3
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return d * v
  }
}
