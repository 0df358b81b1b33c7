import { createRandom } from '../../utils/random.ts'
import type { SparseVector } from '../analysis/text-features.ts'
import type { PackedBytes } from './packing.ts'
import { packBytes, unpackBytes } from './packing.ts'

/** A linear map from sparse vectors to few dense directions, the strongest of the training questions. */
export interface LatentSpace {
  readonly size: number
  /** A place of unit length (zeros for a question without any known bucket), and its length before. */
  project(vector: SparseVector): { readonly place: Float32Array; readonly length: number }
  save(): LatentSpaceState
}

export interface LatentSpaceState {
  readonly size: number
  readonly dimensions: number
  /** Buckets that have a row of weights. */
  readonly buckets: readonly number[]
  readonly weights: PackedBytes
}

export interface LatentSpaceOptions {
  /** Directions. @default 64 */
  readonly size?: number
  /** Buckets kept, by the weight they carry. @default 16384 */
  readonly maxBuckets?: number
  /** @default 1 */
  readonly seed?: number
}

/** Power iterations; each sharpens the spectrum, and three are enough for text (Halko et al. 2011, section 4.5). */
const ITERATIONS = 3

/** Latent semantic analysis: the right singular vectors of the training matrix, by randomised subspace iteration. */
export function fitLatentSpace(
  vectors: readonly SparseVector[],
  dimensions: number,
  options: LatentSpaceOptions = {},
): LatentSpace {
  const { maxBuckets = 16_384, seed = 1 } = options
  const size = Math.max(1, Math.min(options.size ?? 64, vectors.length))
  const energy = new Float64Array(dimensions)
  for (const { indices, values } of vectors)
    for (let at = 0; at < indices.length; at++)
      energy[indices[at] ?? 0] = (energy[indices[at] ?? 0] ?? 0) + (values[at] ?? 0) ** 2
  const buckets = [...energy.keys()]
    .filter(bucket => (energy[bucket] ?? 0) > 0)
    .sort((a, b) => (energy[b] ?? 0) - (energy[a] ?? 0))
    .slice(0, maxBuckets)
  const rowOf = rowsOf(buckets, dimensions)
  const random = createRandom(seed)
  let basis = Float32Array.from({ length: buckets.length * size }, () => random.next() + random.next() - 1)
  const images = new Float32Array(vectors.length * size)
  for (let iteration = 0; iteration <= ITERATIONS; iteration++) {
    vectors.forEach((vector, row) => {
      multiply(vector, basis, size, rowOf, images.subarray(row * size, (row + 1) * size))
    })
    orthonormalise(images, vectors.length, size)
    basis = new Float32Array(buckets.length * size)
    vectors.forEach(({ indices, values }, row) => {
      for (let at = 0; at < indices.length; at++) {
        const place = rowOf[indices[at] ?? 0] ?? -1
        if (place < 0) continue
        const value = values[at] ?? 0
        for (let k = 0; k < size; k++)
          basis[place * size + k] = (basis[place * size + k] ?? 0) + value * (images[row * size + k] ?? 0)
      }
    })
  }
  orthonormalise(basis, buckets.length, size)
  return createLatentSpace({ size, dimensions, buckets, weights: packBytes(basis) })
}

export function createLatentSpace(state: LatentSpaceState): LatentSpace {
  const { size, dimensions, buckets } = state
  const rowOf = rowsOf(buckets, dimensions)
  const basis = unpackBytes(state.weights)
  const { scale } = state.weights
  return {
    size,
    save: () => state,
    project(vector) {
      const into = new Float32Array(size)
      const { indices, values } = vector
      for (let at = 0; at < indices.length; at++) {
        const row = rowOf[indices[at] ?? 0] ?? -1
        if (row < 0) continue
        const value = values[at] ?? 0
        const start = row * size
        for (let k = 0; k < size; k++) into[k] = (into[k] ?? 0) + value * (basis[start + k] ?? 0)
      }
      let sum = 0
      for (const value of into) sum += value * value
      const length = Math.sqrt(sum)
      if (length > 0) for (let k = 0; k < size; k++) into[k] = (into[k] ?? 0) / length
      return { place: into, length: length * scale }
    },
  }
}

function rowsOf(buckets: readonly number[], dimensions: number): Int32Array {
  const rowOf = new Int32Array(dimensions).fill(-1)
  buckets.forEach((bucket, row) => {
    rowOf[bucket] = row
  })
  return rowOf
}

function multiply(
  { indices, values }: SparseVector,
  basis: Float32Array,
  size: number,
  rowOf: Int32Array,
  into: Float32Array,
): void {
  into.fill(0)
  for (let at = 0; at < indices.length; at++) {
    const row = rowOf[indices[at] ?? 0] ?? -1
    if (row < 0) continue
    const value = values[at] ?? 0
    const start = row * size
    for (let k = 0; k < size; k++) into[k] = (into[k] ?? 0) + value * (basis[start + k] ?? 0)
  }
}

/** Gram-Schmidt over the columns of a row-major matrix, twice for accuracy; a column without rest becomes zero. */
function orthonormalise(matrix: Float32Array, rows: number, columns: number): void {
  for (let column = 0; column < columns; column++) {
    for (let pass = 0; pass < 2; pass++)
      for (let other = 0; other < column; other++) {
        let dot = 0
        for (let at = 0; at < rows * columns; at += columns)
          dot += (matrix[at + column] ?? 0) * (matrix[at + other] ?? 0)
        for (let at = 0; at < rows * columns; at += columns)
          matrix[at + column] = (matrix[at + column] ?? 0) - dot * (matrix[at + other] ?? 0)
      }
    let sum = 0
    for (let at = 0; at < rows * columns; at += columns) sum += (matrix[at + column] ?? 0) ** 2
    const scale = sum > 1e-12 ? 1 / Math.sqrt(sum) : 0
    for (let at = 0; at < rows * columns; at += columns) matrix[at + column] = (matrix[at + column] ?? 0) * scale
  }
}
