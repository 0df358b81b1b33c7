import { createRandom } from '../../utils/random.ts'

/** Directions of clusters, row after row, unit length. */
export interface Clustering {
  readonly count: number
  readonly size: number
  readonly centres: Float32Array
}

const ROUNDS = 20

/** Spherical k-means with k-means++ starts; the same seed gives the same clusters. */
export function clusterDirections(points: readonly Float32Array[], wanted: number, seed = 1): Clustering {
  const size = points[0]?.length ?? 0
  const count = Math.max(1, Math.min(wanted, points.length))
  const random = createRandom(seed)
  const centres = new Float32Array(count * size)
  const nearest = new Float32Array(points.length).fill(-1)
  let chosen = Math.floor(random.next() * points.length)
  for (let centre = 0; centre < count; centre++) {
    centres.set(points[chosen] ?? [], centre * size)
    let total = 0
    points.forEach((point, row) => {
      nearest[row] = Math.max(nearest[row] ?? -1, dot(point, centres, centre * size))
      total += Math.max(1e-9, 1 - (nearest[row] ?? 0))
    })
    let rest = random.next() * total
    for (chosen = 0; chosen < points.length - 1; chosen++) {
      rest -= Math.max(1e-9, 1 - (nearest[chosen] ?? 0))
      if (rest <= 0) break
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float32Array(count * size)
    for (const point of points) {
      const centre = closest(point, { count, size, centres })
      for (let k = 0; k < size; k++) sums[centre * size + k] = (sums[centre * size + k] ?? 0) + (point[k] ?? 0)
    }
    for (let centre = 0; centre < count; centre++) {
      let length = 0
      for (let k = 0; k < size; k++) length += (sums[centre * size + k] ?? 0) ** 2
      if (length === 0) sums.set(points[Math.floor(random.next() * points.length)] ?? [], centre * size)
      else for (let k = 0; k < size; k++) sums[centre * size + k] = (sums[centre * size + k] ?? 0) / Math.sqrt(length)
    }
    centres.set(sums)
  }
  return { count, size, centres }
}

export function closest(point: Float32Array, { count, size, centres }: Clustering): number {
  let best = 0
  let top = Number.NEGATIVE_INFINITY
  for (let centre = 0; centre < count; centre++) {
    const similarity = dot(point, centres, centre * size)
    if (similarity > top) {
      top = similarity
      best = centre
    }
  }
  return best
}

/** Dot product of a vector with a row of a matrix, in four sums so that they do not wait for one another. */
export function dot(point: Float32Array, matrix: Float32Array, start: number): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  const size = point.length
  let k = 0
  for (; k + 3 < size; k += 4) {
    a += (point[k] ?? 0) * (matrix[start + k] ?? 0)
    b += (point[k + 1] ?? 0) * (matrix[start + k + 1] ?? 0)
    c += (point[k + 2] ?? 0) * (matrix[start + k + 2] ?? 0)
    d += (point[k + 3] ?? 0) * (matrix[start + k + 3] ?? 0)
  }
  for (; k < size; k++) a += (point[k] ?? 0) * (matrix[start + k] ?? 0)
  return a + b + c + d
}
