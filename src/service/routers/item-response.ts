import type { Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import type { Clustering } from '../routing/k-means.ts'
import { closest, clusterDirections } from '../routing/k-means.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

export interface ItemResponseOptions {
  /** Kinds of questions, each with a difficulty and a discrimination. @default 20 */
  readonly kinds?: number
  /** Rounds of alternating Newton steps. @default 25 */
  readonly rounds?: number
}

/** A router whose numbers can be read: one ability per arm, one difficulty and discrimination per kind of question. */
export interface ItemResponseRouter extends Router {
  /** On the logit scale; 0 is the mean of all arms. */
  readonly abilities: readonly number[]
  readonly difficulties: readonly number[]
  readonly discriminations: readonly number[]
}

/** Weight of the standard normal prior on abilities and difficulties, in answers. */
const PRIOR = 1

/**
 * Two-parameter item response theory (C4): P(right) = sigmoid(a_k (theta_m - b_k)), where the item is the kind (cluster)
 * of a question. Fitted by alternating Newton steps on the counts of right and wrong answers per kind and arm.
 */
export function trainItemResponse(data: TrainingData, options: ItemResponseOptions = {}): ItemResponseRouter {
  const { kinds = 20, rounds = 25 } = options
  const { questions, arms, scores } = data
  const clustering = clusterDirections(
    questions.map(({ latent }) => latent),
    kinds,
    11,
  )
  const { count } = clustering
  const right = new Float64Array(count * arms)
  const asked = new Float64Array(count * arms)
  questions.forEach(({ latent }, row) => {
    const kind = closest(latent, clustering)
    for (let arm = 0; arm < arms; arm++) {
      const score = scores[row * arms + arm] ?? Number.NaN
      if (Number.isNaN(score)) continue
      right[kind * arms + arm] = (right[kind * arms + arm] ?? 0) + score
      asked[kind * arms + arm] = (asked[kind * arms + arm] ?? 0) + 1
    }
  })
  const theta = new Float64Array(arms)
  const a = new Float64Array(count).fill(1)
  const b = new Float64Array(count)
  const expected = (kind: number, arm: number): number => sigmoid((a[kind] ?? 1) * ((theta[arm] ?? 0) - (b[kind] ?? 0)))
  armMeans(questions.length, arms, scores).forEach((mean, arm) => {
    theta[arm] = Math.log((mean + 0.01) / (1.01 - mean))
  })
  for (let round = 0; round < rounds; round++) {
    for (let kind = 0; kind < count; kind++) {
      let [slopeB, curveB, slopeA, curveA] = [
        -(b[kind] ?? 0) * PRIOR,
        PRIOR,
        -((a[kind] ?? 1) - 1) * 10 * PRIOR,
        10 * PRIOR,
      ]
      for (let arm = 0; arm < arms; arm++) {
        const n = asked[kind * arms + arm] ?? 0
        const p = expected(kind, arm)
        const error = (right[kind * arms + arm] ?? 0) - n * p
        const distance = (theta[arm] ?? 0) - (b[kind] ?? 0)
        slopeB -= (a[kind] ?? 1) * error
        curveB += (a[kind] ?? 1) ** 2 * n * p * (1 - p)
        slopeA += distance * error
        curveA += distance ** 2 * n * p * (1 - p)
      }
      b[kind] = (b[kind] ?? 0) + bounded(slopeB / curveB)
      a[kind] = Math.min(4, Math.max(0.1, (a[kind] ?? 1) + bounded(slopeA / curveA)))
    }
    for (let arm = 0; arm < arms; arm++) {
      let [slope, curve] = [-(theta[arm] ?? 0) * PRIOR, PRIOR]
      for (let kind = 0; kind < count; kind++) {
        const n = asked[kind * arms + arm] ?? 0
        const p = expected(kind, arm)
        slope += (a[kind] ?? 1) * ((right[kind * arms + arm] ?? 0) - n * p)
        curve += (a[kind] ?? 1) ** 2 * n * p * (1 - p)
      }
      theta[arm] = (theta[arm] ?? 0) + bounded(slope / curve)
    }
    // only differences of ability and difficulty count: the arms' mean is put at zero
    const middle = theta.reduce((sum, value) => sum + value, 0) / arms
    for (let arm = 0; arm < arms; arm++) theta[arm] = (theta[arm] ?? 0) - middle
    for (let kind = 0; kind < count; kind++) b[kind] = (b[kind] ?? 0) - middle
  }
  return createRouter(clustering, [...theta], [...b], [...a])
}

export function restoreItemResponse(state: unknown): ItemResponseRouter {
  const { count, size, centres, theta, b, a } = state as ReturnType<typeof toSaved> // written by `save` below
  return createRouter({ count, size, centres: unpackFloats(centres) }, theta, b, a)
}

const toSaved = (clustering: Clustering, theta: readonly number[], b: readonly number[], a: readonly number[]) => ({
  count: clustering.count,
  size: clustering.size,
  centres: packFloats(clustering.centres),
  theta,
  b,
  a,
})

function createRouter(
  clustering: Clustering,
  theta: readonly number[],
  b: readonly number[],
  a: readonly number[],
): ItemResponseRouter {
  return {
    kind: 'item-response',
    arms: theta.length,
    abilities: theta,
    difficulties: b,
    discriminations: a,
    save: () => toSaved(clustering, theta, b, a),
    estimate({ latent }, subset) {
      const kind = closest(latent, clustering)
      return Float64Array.from({ length: subset?.length ?? theta.length }, (_, at) =>
        sigmoid((a[kind] ?? 1) * ((theta[subset?.[at] ?? at] ?? 0) - (b[kind] ?? 0))),
      )
    },
  }
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

/** A Newton step from far away overshoots. */
const bounded = (step: number): number => Math.min(1, Math.max(-1, step))
