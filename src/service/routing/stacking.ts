import { solveNonNegative } from './least-squares.ts'

/**
 * How much each router's word counts: weights >= 0 that come closest, by least squares, to the scores of the arms
 * against one another on questions that the routers had not seen. Of every estimate and score the arm's mean is taken,
 * then the question's: how hard a question is for all arms decides nothing. Tables are `rows x arms`, row after row;
 * the weights sum to 1, and are equal where no router says anything.
 */
export function stackRouters(
  heldOut: readonly Float64Array[],
  scores: Float32Array,
  means: ArrayLike<number>,
): readonly number[] {
  const arms = means.length
  const count = heldOut.length
  const gram = new Float64Array(count * count)
  const target = new Float64Array(count)
  const known: number[] = []
  for (let start = 0; start < scores.length; start += arms) {
    known.length = 0
    for (let arm = 0; arm < arms; arm++) if (!Number.isNaN(scores[start + arm] ?? Number.NaN)) known.push(arm)
    if (known.length < 2) continue
    const relative = (values: ArrayLike<number>): readonly number[] => {
      const own = known.map(arm => (values[start + arm] ?? 0) - (means[arm] ?? 0))
      const middle = own.reduce((sum, value) => sum + value, 0) / own.length
      return own.map(value => value - middle)
    }
    const wanted = relative(scores)
    const said = heldOut.map(relative)
    for (let i = 0; i < count; i++) {
      const own = said[i] ?? []
      target[i] = (target[i] ?? 0) + product(own, wanted)
      for (let j = 0; j <= i; j++) {
        const both = product(own, said[j] ?? [])
        gram[i * count + j] = (gram[i * count + j] ?? 0) + both
        if (j < i) gram[j * count + i] = (gram[j * count + i] ?? 0) + both
      }
    }
  }
  const weights = solveNonNegative(gram, target)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Array.from(weights, weight => (total > 0 ? weight / total : 1 / count))
}

function product(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}
