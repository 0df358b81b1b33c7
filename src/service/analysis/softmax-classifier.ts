import { createRandom } from '../../utils/random.ts'
import type { SparseVector } from './text-features.ts'

/** Weights by bucket and label, row after row, as 8-bit integers with one scale: small enough to ship as text. */
export interface SoftmaxModel {
  readonly labels: readonly string[]
  readonly dimensions: number
  /** base64 of `dimensions * labels` signed bytes. */
  readonly weights: string
  /** Value of one unit. */
  readonly scale: number
  readonly bias: readonly number[]
}

export interface SoftmaxClassifier {
  readonly labels: readonly string[]
  /** Probability per label, in the order of `labels`. */
  predict(features: SparseVector): Float64Array
}

export function createSoftmaxClassifier(model: SoftmaxModel): SoftmaxClassifier {
  const { labels, scale, bias } = model
  const weights = new Int8Array(Buffer.from(model.weights, 'base64'))
  const count = labels.length
  return {
    labels,
    predict({ indices, values }) {
      const scores = new Float64Array(count)
      for (let at = 0; at < indices.length; at++) {
        const row = (indices[at] ?? 0) * count
        const value = values[at] ?? 0
        for (let label = 0; label < count; label++)
          scores[label] = (scores[label] ?? 0) + value * (weights[row + label] ?? 0)
      }
      for (let label = 0; label < count; label++) scores[label] = (scores[label] ?? 0) * scale + (bias[label] ?? 0)
      return softmax(scores)
    },
  }
}

export interface TrainOptions {
  readonly dimensions: number
  /** @default 6 */
  readonly epochs?: number
  /** @default 0.5 */
  readonly rate?: number
  /** Weight decay per step. @default 1e-6 */
  readonly decay?: number
  /** Share of each target spread evenly over all labels. @default 0.02 */
  readonly smoothing?: number
  /** @default 1 */
  readonly seed?: number
}

/** Multinomial logistic regression by AdaGrad; weights are rounded to 8 bits at the end. */
export function trainSoftmax(
  examples: readonly { readonly features: SparseVector; readonly label: string }[],
  options: TrainOptions,
): SoftmaxModel {
  const { dimensions, epochs = 6, rate = 0.5, decay = 1e-6, smoothing = 0.02, seed = 1 } = options
  const labels = [...new Set(examples.map(({ label }) => label))].sort()
  const count = labels.length
  const weights = new Float32Array(dimensions * count)
  const squares = new Float32Array(dimensions * count).fill(1e-3)
  const bias = new Float64Array(count)
  const random = createRandom(seed)
  const order = examples.map((_, index) => index)
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(random.next() * (last + 1))
      ;[order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0]
    }
    for (const index of order) {
      const example = examples[index]
      if (!example) continue
      const { indices, values } = example.features
      const scores = Float64Array.from(bias)
      for (let at = 0; at < indices.length; at++) {
        const row = (indices[at] ?? 0) * count
        for (let label = 0; label < count; label++)
          scores[label] = (scores[label] ?? 0) + (values[at] ?? 0) * (weights[row + label] ?? 0)
      }
      const errors = softmax(scores)
      const target = labels.indexOf(example.label)
      for (let label = 0; label < count; label++) {
        errors[label] = (errors[label] ?? 0) - smoothing / count - (label === target ? 1 - smoothing : 0)
        bias[label] = (bias[label] ?? 0) - 0.01 * (errors[label] ?? 0)
      }
      for (let at = 0; at < indices.length; at++) {
        const row = (indices[at] ?? 0) * count
        for (let label = 0; label < count; label++) {
          const slope = (errors[label] ?? 0) * (values[at] ?? 0) + decay * (weights[row + label] ?? 0)
          const square = (squares[row + label] ?? 0) + slope * slope
          squares[row + label] = square
          weights[row + label] = (weights[row + label] ?? 0) - (rate * slope) / Math.sqrt(square)
        }
      }
    }
  }
  let top = 0
  for (const weight of weights) top = Math.max(top, Math.abs(weight))
  const scale = top / 127 || 1
  const packed = Int8Array.from(weights, weight => Math.round(weight / scale))
  return { labels, dimensions, weights: Buffer.from(packed.buffer).toString('base64'), scale, bias: [...bias] }
}

function softmax(scores: Float64Array): Float64Array {
  let top = Number.NEGATIVE_INFINITY
  for (const score of scores) top = Math.max(top, score)
  let sum = 0
  for (let at = 0; at < scores.length; at++) {
    const value = Math.exp((scores[at] ?? 0) - top)
    scores[at] = value
    sum += value
  }
  for (let at = 0; at < scores.length; at++) scores[at] = (scores[at] ?? 0) / sum
  return scores
}
