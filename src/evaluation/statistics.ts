import { createRandom } from '../utils/random.ts'

/** An estimate with the interval that holds it, all on the scale of the estimate. */
export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
}

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054

/** Wilson score interval of a share of `right` among `n`; [0, 1] when nothing was asked. */
export function wilson(right: number, n: number, z: number = Z_95): Interval {
  if (n === 0) return { estimate: Number.NaN, low: 0, high: 1 }
  const share = right / n
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  // at the ends the bound is the end itself, which rounding would miss
  return { estimate: share, low: right === 0 ? 0 : middle - half, high: right === n ? 1 : middle + half }
}

/**
 * Exact two-sided McNemar test of paired outcomes: `onlyFirst` questions that only the first system got right,
 * `onlySecond` that only the second did. Returns the p-value under the binomial with 1/2.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond
  if (n === 0) return 1
  const smaller = Math.min(onlyFirst, onlySecond)
  let tail = 0
  let logTerm = -n * Math.LN2
  for (let k = 0; k <= smaller; k++) {
    if (k > 0) logTerm += Math.log((n - k + 1) / k)
    tail += Math.exp(logTerm)
  }
  return Math.min(1, 2 * tail)
}

export interface BootstrapOptions {
  /** @default 2000 */
  readonly rounds?: number
  /** @default 1 */
  readonly seed?: number
  /** @default 0.95 */
  readonly confidence?: number
}

/** Percentile bootstrap of the mean difference `first - second` over the same questions; same seed, same interval. */
export function pairedBootstrap(
  first: readonly number[],
  second: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const { rounds = 2000, seed = 1, confidence = 0.95 } = options
  if (first.length !== second.length || first.length === 0)
    throw new RangeError('expected two lists of the same length, not empty')
  const differences = first.map((value, index) => value - (second[index] ?? 0))
  const random = createRandom(seed)
  const means = new Float64Array(rounds)
  for (let round = 0; round < rounds; round++) {
    let sum = 0
    for (let draw = 0; draw < differences.length; draw++)
      sum += differences[Math.floor(random.next() * differences.length)] ?? 0
    means[round] = sum / differences.length
  }
  means.sort()
  const tail = (1 - confidence) / 2
  return { estimate: mean(differences), low: quantileSorted(means, tail), high: quantileSorted(means, 1 - tail) }
}

/** NaN for an empty list. */
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Sample standard deviation (divides by n - 1, as table 8 of the SI/PI paper does); 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = mean(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1))
}

/** Linearly interpolated percentile, `share` 0..1; NaN for an empty list. */
export const percentile = (values: readonly number[], share: number): number =>
  quantileSorted(Float64Array.from(values).sort(), share)

/**
 * Expected calibration error over bins of equal width: how far stated confidence lies from the observed share of right
 * answers, weighted by how often each confidence is stated. 0 is perfect.
 */
export function expectedCalibrationError(
  answers: readonly { readonly confidence: number; readonly right: boolean }[],
  bins = 10,
): number {
  const sums = Array.from({ length: bins }, () => ({ n: 0, confidence: 0, right: 0 }))
  for (const { confidence, right } of answers) {
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.floor(confidence * bins)))]
    if (!bin) continue
    bin.n++
    bin.confidence += confidence
    bin.right += right ? 1 : 0
  }
  return sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / Math.max(1, answers.length)
}

function quantileSorted(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN
  const position = Math.min(1, Math.max(0, share)) * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
