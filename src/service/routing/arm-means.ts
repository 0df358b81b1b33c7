/** Mean known score per arm; 0.5 where nothing is known. */
export function armMeans(rows: number, arms: number, scores: Float32Array): Float64Array {
  const sums = new Float64Array(arms)
  const counts = new Float64Array(arms)
  for (let row = 0; row < rows; row++)
    for (let arm = 0; arm < arms; arm++) {
      const score = scores[row * arms + arm] ?? Number.NaN
      if (Number.isNaN(score)) continue
      sums[arm] = (sums[arm] ?? 0) + score
      counts[arm] = (counts[arm] ?? 0) + 1
    }
  return sums.map((sum, arm) => ((counts[arm] ?? 0) > 0 ? sum / (counts[arm] ?? 1) : 0.5))
}
