/** Prices of quality that are tried: utility = score - price * cost. */
const PRICES = 24

/**
 * How good estimates are for decisions, as one number. Without costs the mean score of the arm that is estimated best.
 * With costs the mean score over all prices of cost, from one where only quality counts to one where only cost does.
 * All tables are `rows x arms`, row after row.
 */
export function decisionQuality(
  estimates: Float64Array,
  scores: Float32Array,
  arms: number,
  costs?: { readonly estimated: Float64Array; readonly true: Float32Array },
): number {
  const rows = estimates.length / arms
  if (!costs) return meanChosen(estimates, scores, arms, () => 0)
  let low = Number.POSITIVE_INFINITY
  let high = 0
  for (let arm = 0; arm < arms; arm++) {
    let sum = 0
    for (let row = 0; row < rows; row++) sum += costs.true[row * arms + arm] ?? 0
    low = Math.min(low, sum / rows)
    high = Math.max(high, sum / rows)
  }
  const points: (readonly [number, number])[] = []
  for (let step = 0; step < PRICES; step++) {
    const price = step === 0 ? 0 : 10 ** (-2 + (4 * step) / PRICES) / Math.max(1e-12, high - low)
    const estimated = (at: number): number => price * (costs.estimated[at] ?? 0)
    const spent = meanChosen(estimates, costs.true, arms, estimated)
    points.push([spent, meanChosen(estimates, scores, arms, estimated)])
  }
  points.sort((a, b) => a[0] - b[0])
  let area = 0
  for (let at = 1; at < points.length; at++) {
    const [before, after] = [points[at - 1] ?? [0, 0], points[at] ?? [0, 0]]
    area += ((after[0] - before[0]) * (after[1] + before[1])) / 2
  }
  const width = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)
  return width > 0 ? area / width : (points[0]?.[1] ?? 0)
}

function meanChosen(
  estimates: Float64Array,
  values: Float32Array,
  arms: number,
  penalty: (at: number) => number,
): number {
  const rows = estimates.length / arms
  let sum = 0
  let known = 0
  for (let row = 0; row < rows; row++) {
    let best = row * arms
    for (let at = best + 1; at < (row + 1) * arms; at++)
      if ((estimates[at] ?? 0) - penalty(at) > (estimates[best] ?? 0) - penalty(best)) best = at
    const value = values[best] ?? Number.NaN
    if (Number.isNaN(value)) continue
    sum += value
    known++
  }
  return known > 0 ? sum / known : 0
}
