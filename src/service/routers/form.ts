import { createRandom } from '../../utils/random.ts'
import type { EncodedQuestion, Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import { solvePositive } from '../routing/least-squares.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

export interface FormOptions {
  /** Random features: more come closer to the kernel. @default 300 */
  readonly features?: number
  /** @default 1 */
  readonly seed?: number
}

interface State {
  readonly arms: number
  readonly width: number
  readonly features: number
  readonly seed: number
  /** Mean score per arm, on which the rest is laid. */
  readonly means: readonly number[]
  /** Mean of each feature over the training questions. */
  readonly centre: Float32Array
  /** `features x arms`. */
  readonly weights: Float32Array
}

/** Of the kernel exp(-SHARPNESS |a - b|^2) between scaled forms; 0.1 to 1.5 are equally good by cross-validation. */
const SHARPNESS = 0.5
/** Weights of the squared coefficients that a fifth of the rows choose from. */
const PENALTIES = [1, 3, 10, 30, 100] as const
const FOLDS = 5

/**
 * Form router: how well arms answer questions that look like this one, by kernel ridge regression over the form of the
 * text, with random features for the kernel (Rahimi and Recht 2007). It knows nothing of what the words mean, so it
 * errs elsewhere than routers by topic. Unknown scores count as the arm's mean.
 */
export function trainFormRouter({ questions, arms, scores }: TrainingData, options: FormOptions = {}): Router {
  const { features = 300, seed = 1 } = options
  const width = questions[0]?.form.length ?? 0
  const means = armMeans(questions.length, arms, scores)
  const map = createFeatures(width, features, seed)
  const mapped = questions.map(({ form }) => map(form))
  const centre = new Float32Array(features)
  for (const one of mapped)
    for (let k = 0; k < features; k++) centre[k] = (centre[k] ?? 0) + (one[k] ?? 0) / mapped.length
  for (const one of mapped) for (let k = 0; k < features; k++) one[k] = (one[k] ?? 0) - (centre[k] ?? 0)
  const deviation = (row: number, arm: number): number => {
    const score = scores[row * arms + arm] ?? Number.NaN
    return Number.isNaN(score) ? 0 : score - (means[arm] ?? 0)
  }
  const held = momentsOf(mapped, deviation, arms, row => row % FOLDS === 0)
  const seen = momentsOf(mapped, deviation, arms, row => row % FOLDS !== 0)
  const losses = PENALTIES.map(penalty =>
    loss(solvePositive(seen.gram, seen.target, features, penalty), held, features),
  )
  const penalty = PENALTIES[losses.indexOf(Math.min(...losses))] ?? PENALTIES[0]
  const add = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, at) => value + (b[at] ?? 0))
  const weights = solvePositive(add(seen.gram, held.gram), add(seen.target, held.target), features, penalty)
  return createRouter({ arms, width, features, seed, means: [...means], centre, weights: Float32Array.from(weights) })
}

export function restoreFormRouter(state: unknown): Router {
  const saved = state as ReturnType<typeof toSaved> // written by `save` below; checked by the caller's digest
  return createRouter({ ...saved, centre: unpackFloats(saved.centre), weights: unpackFloats(saved.weights) })
}

const toSaved = (state: State) => ({ ...state, centre: packFloats(state.centre), weights: packFloats(state.weights) })

function createRouter(state: State): Router {
  const { arms, features, means, centre, weights } = state
  const map = createFeatures(state.width, features, state.seed)
  return {
    kind: 'form',
    arms,
    save: () => toSaved(state),
    estimate({ form }: EncodedQuestion, subset) {
      const mapped = map(form)
      const result = Float64Array.from({ length: subset?.length ?? arms }, (_, at) => means[subset?.[at] ?? at] ?? 0)
      for (let k = 0; k < features; k++) {
        const value = (mapped[k] ?? 0) - (centre[k] ?? 0)
        for (let at = 0; at < result.length; at++)
          result[at] = (result[at] ?? 0) + value * (weights[k * arms + (subset?.[at] ?? at)] ?? 0)
      }
      return result
    },
  }
}

/** sqrt(2/D) cos(W x + b), W normal: products of two such vectors come close to the kernel. */
function createFeatures(width: number, features: number, seed: number): (form: Float32Array) => Float32Array {
  const random = createRandom(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const directions = Float32Array.from({ length: features * width }, () => normal() * Math.sqrt(2 * SHARPNESS))
  const phases = Float32Array.from({ length: features }, () => 2 * Math.PI * random.next())
  const scale = Math.sqrt(2 / features)
  return form => {
    const result = new Float32Array(features)
    for (let k = 0; k < features; k++) {
      let sum = phases[k] ?? 0
      for (let at = 0; at < width; at++) sum += (directions[k * width + at] ?? 0) * (form[at] ?? 0)
      result[k] = scale * Math.cos(sum)
    }
    return result
  }
}

interface Moments {
  /** X^T X, `features x features`. */
  readonly gram: Float64Array
  /** X^T Y, `features x arms`. */
  readonly target: Float64Array
}

function momentsOf(
  mapped: readonly Float32Array[],
  deviation: (row: number, arm: number) => number,
  arms: number,
  taken: (row: number) => boolean,
): Moments {
  const features = mapped[0]?.length ?? 0
  const gram = new Float64Array(features * features)
  const target = new Float64Array(features * arms)
  mapped.forEach((one, row) => {
    if (!taken(row)) return
    for (let i = 0; i < features; i++) {
      const value = one[i] ?? 0
      for (let j = 0; j <= i; j++) gram[i * features + j] = (gram[i * features + j] ?? 0) + value * (one[j] ?? 0)
      for (let arm = 0; arm < arms; arm++)
        target[i * arms + arm] = (target[i * arms + arm] ?? 0) + value * deviation(row, arm)
    }
  })
  for (let i = 0; i < features; i++) for (let j = 0; j < i; j++) gram[j * features + i] = gram[i * features + j] ?? 0
  return { gram, target }
}

/** Squared error of weights on held-out rows, less what no weights can change. */
function loss(weights: Float64Array, { gram, target }: Moments, features: number): number {
  const arms = weights.length / features
  let sum = 0
  for (let i = 0; i < features; i++)
    for (let arm = 0; arm < arms; arm++) {
      let product = 0
      for (let j = 0; j < features; j++) product += (gram[i * features + j] ?? 0) * (weights[j * arms + arm] ?? 0)
      const weight = weights[i * arms + arm] ?? 0
      sum += weight * (product - 2 * (target[i * arms + arm] ?? 0))
    }
  return sum
}
