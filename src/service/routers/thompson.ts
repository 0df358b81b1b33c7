import { createRandom, hash32, type Random } from '../../utils/random.ts'
import type { EncodedQuestion, Router, TrainingData } from '../router.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

/** A router that also learns from each answer, and tries what it knows little of. */
export interface ThompsonRouter extends Router {
  /** What is expected without trying anything: the mean of the belief of which `estimate` is a draw. */
  expect(question: EncodedQuestion): Float64Array
  /** Feedback on one answer of one arm: 0 wrong .. 1 right; anything else is no feedback. */
  learn(question: EncodedQuestion, arm: number, score: number): void
}

export interface ThompsonOptions {
  /** Standard deviation of a score around what is expected of it; the wider, the more is tried. @default 0.4 */
  readonly deviation?: number
  /** @default 1 */
  readonly seed?: number
}

interface State {
  readonly arms: number
  /** Of the features: a constant and the place in the latent space. */
  readonly size: number
  readonly deviation: number
  readonly seed: number
  /** Answers learned from; every one of them changes the draws. */
  readonly seen: number
  /** `arms x size`: mean of the belief about each arm's coefficients. */
  readonly means: Float32Array
  /** `arms x size x size`: its covariance, in units of the variance of a score. */
  readonly covariances: Float32Array
}

/** Variance of a coefficient before anything was seen, in units of the variance of a score. */
const PRIOR_VARIANCE = 4
/** What is expected of an arm nobody saw. */
const PRIOR_MEAN = 0.5

/**
 * Contextual Thompson sampling with a linear belief for each arm (C8; Agrawal and Goyal 2013): an estimate is a draw of
 * what the arm may be worth at this question, so an arm is chosen as often as it is likely to be the best. The draw
 * depends on the question, the seed and what was learned: the router is pure until it learns.
 */
export function trainThompsonRouter(data: TrainingData, options: ThompsonOptions = {}): ThompsonRouter {
  const { deviation = 0.4, seed = 1 } = options
  const { questions, arms, scores } = data
  const size = 1 + (questions[0]?.latent.length ?? 0)
  const means = new Float32Array(arms * size)
  const covariances = new Float32Array(arms * size * size)
  for (let arm = 0; arm < arms; arm++) {
    means[arm * size] = PRIOR_MEAN
    for (let at = 0; at < size; at++) covariances[(arm * size + at) * size + at] = PRIOR_VARIANCE
  }
  const router = createRouter({ arms, size, deviation, seed, seen: 0, means, covariances })
  questions.forEach((question, row) => {
    for (let arm = 0; arm < arms; arm++) router.learn(question, arm, scores[row * arms + arm] ?? Number.NaN)
  })
  return router
}

export function restoreThompsonRouter(state: unknown): ThompsonRouter {
  const saved = state as ReturnType<typeof toSaved> // written by `save` below; checked by the caller's digest
  return createRouter({ ...saved, means: unpackFloats(saved.means), covariances: unpackFloats(saved.covariances) })
}

const toSaved = (state: State) => ({
  ...state,
  means: packFloats(state.means),
  covariances: packFloats(state.covariances),
})

function createRouter(state: State): ThompsonRouter {
  const { arms, size, deviation, seed, means, covariances } = state
  let { seen } = state

  const mean = (features: Float64Array, arm: number): number => {
    let sum = 0
    for (let at = 0; at < size; at++) sum += (features[at] ?? 0) * (means[arm * size + at] ?? 0)
    return sum
  }
  /** The covariance of an arm times the features. */
  const spread = (features: Float64Array, arm: number): Float64Array =>
    features.map((_, row) => {
      const start = (arm * size + row) * size
      let sum = 0
      for (let at = 0; at < size; at++) sum += (covariances[start + at] ?? 0) * (features[at] ?? 0)
      return sum
    })

  return {
    kind: 'thompson',
    arms,
    save: () => toSaved({ ...state, seen }),
    expect: question => {
      const features = featuresOf(question)
      return Float64Array.from({ length: arms }, (_, arm) => bounded(mean(features, arm)))
    },
    estimate(question, subset) {
      const features = featuresOf(question)
      const random = createRandom(hash32(`${seed} ${seen}`, placeHash(question)))
      return Float64Array.from({ length: subset?.length ?? arms }, (_, at) => {
        const arm = subset?.[at] ?? at
        const variance = dot(features, spread(features, arm))
        return bounded(
          mean(features, arm) + deviation * Math.sqrt(Math.max(0, variance)) * normal(random.fork(`${arm}`)),
        )
      })
    },
    learn(question, arm, score) {
      if (!(score >= 0 && score <= 1 && arm >= 0 && arm < arms)) return
      seen++
      const features = featuresOf(question)
      const gain = spread(features, arm)
      const scale = 1 / (1 + dot(features, gain))
      const surprise = score - mean(features, arm)
      for (let row = 0; row < size; row++) {
        const start = (arm * size + row) * size
        const step = (gain[row] ?? 0) * scale
        means[arm * size + row] = (means[arm * size + row] ?? 0) + step * surprise
        for (let at = 0; at < size; at++)
          covariances[start + at] = (covariances[start + at] ?? 0) - step * (gain[at] ?? 0)
      }
    },
  }
}

/** A constant, and as much of the place in the latent space as the question shows. */
function featuresOf({ latent, captured }: EncodedQuestion): Float64Array {
  const features = new Float64Array(latent.length + 1)
  features[0] = 1
  latent.forEach((value, at) => {
    features[at + 1] = captured * value
  })
  return features
}

const placeHash = ({ latent }: EncodedQuestion): number =>
  latent.reduce((hash, value) => Math.imul(hash ^ Math.round(value * 1e6), 0x01000193), 0x811c9dc5) >>> 0

/** Box and Muller 1958. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

const bounded = (value: number): number => Math.min(1, Math.max(0, value))
