/**
 * Solves (A + penalty I) X = B for a symmetric positive A by Cholesky's factorisation. `a` is `size x size`, `b` is
 * `size x columns`, both row after row and untouched.
 */
export function solvePositive(a: Float64Array, b: Float64Array, size: number, penalty: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = (a[i * size + j] ?? 0) + (i === j ? penalty : 0)
      for (let k = 0; k < j; k++) sum -= (lower[i * size + k] ?? 0) * (lower[j * size + k] ?? 0)
      lower[i * size + j] = i === j ? Math.sqrt(Math.max(1e-12, sum)) : sum / (lower[j * size + j] ?? 1)
    }
  const columns = b.length / size
  const x = Float64Array.from(b)
  const eliminate = (i: number, k: number, factor: number): void => {
    for (let c = 0; c < columns; c++)
      x[i * columns + c] = (x[i * columns + c] ?? 0) - factor * (x[k * columns + c] ?? 0)
  }
  const divide = (i: number): void => {
    for (let c = 0; c < columns; c++) x[i * columns + c] = (x[i * columns + c] ?? 0) / (lower[i * size + i] ?? 1)
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) eliminate(i, k, lower[i * size + k] ?? 0)
    divide(i)
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) eliminate(i, k, lower[k * size + i] ?? 0)
    divide(i)
  }
  return x
}

const SWEEPS = 500

/**
 * Weights w >= 0 that minimise |A w - b|^2, from A^T A (`size x size`) and A^T b, by coordinate descent: convex, so it
 * ends at the one minimum.
 */
export function solveNonNegative(gram: Float64Array, target: Float64Array): Float64Array {
  const size = target.length
  const weights = new Float64Array(size)
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (let i = 0; i < size; i++) {
      const own = gram[i * size + i] ?? 0
      if (own <= 0) continue
      let rest = target[i] ?? 0
      for (let j = 0; j < size; j++) if (j !== i) rest -= (gram[i * size + j] ?? 0) * (weights[j] ?? 0)
      weights[i] = Math.max(0, rest / own)
    }
  return weights
}
