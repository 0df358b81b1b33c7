import { createRandom } from '../../utils/random.ts'
import type { Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

export interface FactorisationOptions {
  /** Length of a model's vector. @default 16 */
  readonly size?: number
  /** @default 6 */
  readonly epochs?: number
  /** @default 0.05 */
  readonly rate?: number
  /** Weight decay. @default 0.001 */
  readonly decay?: number
  /** @default 1 */
  readonly seed?: number
}

interface State {
  readonly arms: number
  readonly size: number
  readonly width: number
  /** `arms x size`. */
  readonly models: Float32Array
  /** `size x width`: from the latent space of questions to that of models. */
  readonly projection: Float32Array
  readonly bias: readonly number[]
  /** Mean score per arm, on which the pairwise strength is laid. */
  readonly means: readonly number[]
  /** Score a unit of strength is worth. */
  readonly slope: number
}

/**
 * Pairwise matrix factorisation (RouteLLM, C3), extended from two models to any number: the strength of model m at
 * question q is m . W q + b_m, and P(m beats n) = sigmoid(difference of strengths). Learned from all pairs of arms that
 * scored differently on the same question, by stochastic gradient descent.
 */
export function trainPairwiseFactorisation(data: TrainingData, options: FactorisationOptions = {}): Router {
  const { size = 16, epochs = 6, rate = 0.05, decay = 1e-3, seed = 1 } = options
  const { questions, arms, scores } = data
  const width = questions[0]?.latent.length ?? 0
  const random = createRandom(seed)
  const models = Float32Array.from({ length: arms * size }, () => (random.next() - 0.5) * 0.2)
  const projection = Float32Array.from({ length: size * width }, () => (random.next() - 0.5) * 0.5)
  const bias = new Float64Array(arms)
  const place = new Float32Array(size)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const step = rate / (1 + epoch)
    for (let draw = 0; draw < questions.length; draw++) {
      const row = Math.floor(random.next() * questions.length)
      const latent = questions[row]?.latent
      if (!latent) continue
      project(projection, latent, place)
      for (let pair = 0; pair < arms; pair++) {
        const winner = Math.floor(random.next() * arms)
        const loser = Math.floor(random.next() * arms)
        const margin = (scores[row * arms + winner] ?? Number.NaN) - (scores[row * arms + loser] ?? Number.NaN)
        if (!(margin > 0)) continue
        let strength = (bias[winner] ?? 0) - (bias[loser] ?? 0)
        for (let k = 0; k < size; k++)
          strength += ((models[winner * size + k] ?? 0) - (models[loser * size + k] ?? 0)) * (place[k] ?? 0)
        const push = step * margin * (1 / (1 + Math.exp(strength)))
        bias[winner] = (bias[winner] ?? 0) + push
        bias[loser] = (bias[loser] ?? 0) - push
        for (let k = 0; k < size; k++) {
          const won = models[winner * size + k] ?? 0
          const lost = models[loser * size + k] ?? 0
          models[winner * size + k] = won + push * (place[k] ?? 0) - step * decay * won
          models[loser * size + k] = lost - push * (place[k] ?? 0) - step * decay * lost
          for (let j = 0; j < width; j++)
            projection[k * width + j] = (projection[k * width + j] ?? 0) + push * (won - lost) * (latent[j] ?? 0)
        }
      }
    }
  }
  const means = armMeans(questions.length, arms, scores)
  const state: State = { arms, size, width, models, projection, bias: [...bias], means: [...means], slope: 1 }
  return createRouter({ ...state, slope: fitSlope(createRouter(state), data, means) })
}

export function restorePairwiseFactorisation(state: unknown): Router {
  const saved = state as ReturnType<typeof toSaved> // written by `save` below
  return createRouter({ ...saved, models: unpackFloats(saved.models), projection: unpackFloats(saved.projection) })
}

const toSaved = (state: State) => ({
  ...state,
  models: packFloats(state.models),
  projection: packFloats(state.projection),
})

function createRouter(state: State): Router {
  const { arms, size, models, projection, bias, means, slope } = state
  const middle = means.reduce((sum, mean) => sum + mean, 0) / arms
  const place = new Float32Array(size)
  return {
    kind: 'pairwise-factorisation',
    arms,
    save: () => toSaved(state),
    estimate({ latent }, subset) {
      project(projection, latent, place)
      const strengths = Float64Array.from({ length: arms }, (_, arm) => {
        let strength = bias[arm] ?? 0
        for (let k = 0; k < size; k++) strength += (models[arm * size + k] ?? 0) * (place[k] ?? 0)
        return strength
      })
      const mean = strengths.reduce((sum, strength) => sum + strength, 0) / arms
      return Float64Array.from({ length: subset?.length ?? arms }, (_, at) =>
        Math.min(1, Math.max(0, middle + slope * ((strengths[subset?.[at] ?? at] ?? 0) - mean))),
      )
    },
  }
}

function project(projection: Float32Array, latent: Float32Array, into: Float32Array): void {
  const width = latent.length
  for (let k = 0; k < into.length; k++) {
    let sum = 0
    for (let j = 0; j < width; j++) sum += (projection[k * width + j] ?? 0) * (latent[j] ?? 0)
    into[k] = sum
  }
}

/** Least squares of a question's deviations from its own mean score on its deviations of strength. */
function fitSlope(router: Router, { questions, arms, scores }: TrainingData, means: Float64Array): number {
  const middle = means.reduce((sum, mean) => sum + mean, 0) / arms
  let both = 0
  let squares = 1e-9
  questions.forEach((question, row) => {
    const own = scores.subarray(row * arms, (row + 1) * arms)
    const mean = own.reduce((sum, score) => sum + score, 0) / arms
    if (Number.isNaN(mean)) return
    router.estimate(question).forEach((estimate, arm) => {
      both += (estimate - middle) * ((own[arm] ?? 0) - mean)
      squares += (estimate - middle) ** 2
    })
  })
  return Math.max(0, both / squares)
}
