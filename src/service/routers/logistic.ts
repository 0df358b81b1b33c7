import type { SparseVector } from '../analysis/text-features.ts'
import type { Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import type { PackedBytes } from '../routing/packing.ts'
import { packBytes, unpackBytes } from '../routing/packing.ts'

export interface LogisticOptions {
  /** Weight of the squared coefficients. @default 0.001 */
  readonly penalty?: number
  /** Steps of accelerated descent. @default 50 */
  readonly steps?: number
}

interface State {
  readonly arms: number
  readonly dimensions: number
  /** Buckets that have weights. */
  readonly buckets: readonly number[]
  /** `buckets x arms`. */
  readonly weights: PackedBytes
  readonly bias: readonly number[]
}

/** Buckets kept, by the weight they carry. */
const MAX_BUCKETS = 16_384

/**
 * Logistic router: one regularised logistic regression per arm over hashed TF-IDF, by Nesterov's accelerated gradient
 * with the step 1/L of a smooth, strongly convex function. Scores between 0 and 1 are soft labels.
 */
export function trainLogisticRouter(
  { questions, arms, scores, dimensions }: TrainingData,
  options: LogisticOptions = {},
): Router {
  const { penalty = 1e-3, steps = 50 } = options
  const rows = questions.length
  const buckets = heaviest(
    questions.map(({ sparse }) => sparse),
    dimensions,
  )
  const vectors = compact(
    questions.map(({ sparse }) => sparse),
    buckets,
    dimensions,
  )
  const bias = armMeans(rows, arms, scores).map(mean => logit(Math.min(0.99, Math.max(0.01, mean))))
  const width = buckets.length * arms
  const slope = 0.25 * topEigenvalue(vectors, buckets.length) + penalty
  const ratio = Math.sqrt(penalty / slope)
  const momentum = (1 - ratio) / (1 + ratio)
  let weights = new Float32Array(width)
  const ahead = new Float32Array(width)
  const sums = new Float32Array(arms)
  for (let step = 0; step < steps; step++) {
    const gradient = new Float32Array(width)
    vectors.forEach(({ indices, values }, row) => {
      for (let arm = 0; arm < arms; arm++) sums[arm] = bias[arm] ?? 0
      for (let at = 0; at < indices.length; at++) {
        const start = (indices[at] ?? 0) * arms
        const value = values[at] ?? 0
        for (let arm = 0; arm < arms; arm++) sums[arm] = (sums[arm] ?? 0) + value * (ahead[start + arm] ?? 0)
      }
      for (let arm = 0; arm < arms; arm++) {
        const score = scores[row * arms + arm] ?? Number.NaN
        sums[arm] = Number.isNaN(score) ? 0 : (sigmoid(sums[arm] ?? 0) - score) / rows
      }
      for (let at = 0; at < indices.length; at++) {
        const start = (indices[at] ?? 0) * arms
        const value = values[at] ?? 0
        for (let arm = 0; arm < arms; arm++)
          gradient[start + arm] = (gradient[start + arm] ?? 0) + value * (sums[arm] ?? 0)
      }
    })
    const before = weights
    weights = new Float32Array(width)
    for (let at = 0; at < width; at++) {
      const point = ahead[at] ?? 0
      const next = point - ((gradient[at] ?? 0) + penalty * point) / slope
      weights[at] = next
      ahead[at] = next + momentum * (next - (before[at] ?? 0))
    }
  }
  return createRouter({ arms, dimensions, buckets, weights: packBytes(weights), bias: [...bias] })
}

export function restoreLogisticRouter(state: unknown): Router {
  return createRouter(state as State) // written by `save` below; checked by the caller's digest
}

function createRouter(state: State): Router {
  const { arms, dimensions, buckets, bias } = state
  const weights = unpackBytes(state.weights)
  const { scale } = state.weights
  const rowOf = new Int32Array(dimensions).fill(-1)
  buckets.forEach((bucket, row) => {
    rowOf[bucket] = row
  })
  return {
    kind: 'logistic',
    arms,
    save: () => state,
    estimate({ sparse: { indices, values } }, subset) {
      const width = subset?.length ?? arms
      const sums = new Float64Array(width)
      for (let at = 0; at < indices.length; at++) {
        const row = rowOf[indices[at] ?? 0] ?? -1
        if (row < 0) continue
        const value = values[at] ?? 0
        for (let arm = 0; arm < width; arm++)
          sums[arm] = (sums[arm] ?? 0) + value * (weights[row * arms + (subset?.[arm] ?? arm)] ?? 0)
      }
      return sums.map((sum, at) => sigmoid(sum * scale + (bias[subset?.[at] ?? at] ?? 0)))
    },
  }
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
const logit = (share: number): number => Math.log(share / (1 - share))

function heaviest(vectors: readonly SparseVector[], dimensions: number): readonly number[] {
  const energy = new Float64Array(dimensions)
  for (const { indices, values } of vectors)
    for (let at = 0; at < indices.length; at++)
      energy[indices[at] ?? 0] = (energy[indices[at] ?? 0] ?? 0) + (values[at] ?? 0) ** 2
  const used = [...energy.keys()].filter(bucket => (energy[bucket] ?? 0) > 0)
  return used.sort((a, b) => (energy[b] ?? 0) - (energy[a] ?? 0)).slice(0, MAX_BUCKETS)
}

/** The same vectors over the kept buckets only. */
function compact(
  vectors: readonly SparseVector[],
  buckets: readonly number[],
  dimensions: number,
): readonly SparseVector[] {
  const rowOf = new Int32Array(dimensions).fill(-1)
  buckets.forEach((bucket, row) => {
    rowOf[bucket] = row
  })
  return vectors.map(({ indices, values }) => {
    const kept = [...indices.keys()].filter(at => (rowOf[indices[at] ?? 0] ?? -1) >= 0)
    return {
      indices: Int32Array.from(kept, at => rowOf[indices[at] ?? 0] ?? 0),
      values: Float32Array.from(kept, at => values[at] ?? 0),
    }
  })
}

/** Largest eigenvalue of X^T X / rows, by power iteration. */
function topEigenvalue(vectors: readonly SparseVector[], width: number): number {
  let direction = new Float32Array(width).fill(1 / Math.sqrt(Math.max(1, width)))
  let length = 1
  for (let round = 0; round < 8; round++) {
    const next = new Float32Array(width)
    for (const { indices, values } of vectors) {
      let sum = 0
      for (let at = 0; at < indices.length; at++) sum += (values[at] ?? 0) * (direction[indices[at] ?? 0] ?? 0)
      for (let at = 0; at < indices.length; at++)
        next[indices[at] ?? 0] = (next[indices[at] ?? 0] ?? 0) + sum * (values[at] ?? 0)
    }
    length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0))
    if (length === 0) return 0
    direction = next.map(value => value / length)
  }
  // power iteration approaches from below: a little more keeps the step safe
  return (1.1 * length) / Math.max(1, vectors.length)
}
