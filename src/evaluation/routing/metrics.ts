/** Points of a router: mean cost and mean score of one way to trade the one for the other. */
export type CostPoint = readonly [cost: number, score: number]

/** Non-decreasing upper convex hull, cheapest first (RouterBench). */
export function costHull(points: readonly CostPoint[]): readonly CostPoint[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const hull: CostPoint[] = []
  let best = Number.NEGATIVE_INFINITY
  for (const point of sorted) {
    if (point[1] <= best) continue
    best = point[1]
    while (hull.length > 1) {
      const [a, b] = [hull.at(-2) ?? point, hull.at(-1) ?? point]
      if ((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) < 0) break
      hull.pop()
    }
    hull.push(point)
  }
  return hull
}

/** Average improvement in quality: mean height of the hull between two costs; 0 where nothing is that cheap. */
export function averageQuality(points: readonly CostPoint[], low: number, high: number): number {
  const hull = costHull(points)
  const steps = 4000
  let area = 0
  let before: number | undefined
  for (let step = 0; step <= steps; step++) {
    const cost = low + ((high - low) * step) / steps
    const value = cost < (hull[0]?.[0] ?? 0) - 1e-12 ? 0 : interpolate(cost, hull)
    if (before !== undefined) area += (value + before) / 2
    before = value
  }
  return area / steps
}

/** Share of the cost of the best single arm that is saved at `share` of its score; undefined when that is not reached. */
export function costSaved(points: readonly CostPoint[], best: CostPoint, share: number): number | undefined {
  const enough = points.filter(([, score]) => score >= share * best[1])
  return enough.length > 0 ? 1 - Math.min(...enough.map(([cost]) => cost)) / best[0] : undefined
}

export interface PairMetrics {
  readonly n: number
  readonly weak: number
  readonly strong: number
  /** Average performance gap recovered (RouteLLM): 0 the weak model, 0.5 random, 1 the strong model at any share. */
  readonly apgr: number
  /** Share of calls to the strong model, in percent, that recovers 50 % and 80 % of the gap. */
  readonly cpt50: number
  readonly cpt80: number
}

/** The metrics of RouteLLM over thresholds at the 11 quantiles of the win score; `scores` are [weak, strong]. */
export function pairMetrics(win: readonly number[], scores: readonly (readonly [number, number])[]): PairMetrics {
  const n = win.length
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / n
  const weak = 100 * meanOf(scores.map(([first]) => first))
  const strong = 100 * meanOf(scores.map(([, second]) => second))
  const sorted = [...win].sort((a, b) => a - b)
  const points = Array.from({ length: 11 }, (_, step): CostPoint => {
    const place = (step / 10) * (n - 1)
    const below = sorted[Math.floor(place)] ?? 0
    const threshold =
      below + ((sorted[Math.min(Math.floor(place) + 1, n - 1)] ?? 0) - below) * (place - Math.floor(place))
    let calls = 0
    let right = 0
    win.forEach((value, row) => {
      const toStrong = step < 10 ? value >= threshold : value > threshold
      calls += toStrong ? 1 : 0
      right += scores[row]?.[toStrong ? 1 : 0] ?? 0
    })
    return [(100 * calls) / n, (100 * right) / n]
  }).sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let area = 0
  for (let at = 1; at < points.length; at++) {
    const [before, after] = [points[at - 1] ?? [0, 0], points[at] ?? [0, 0]]
    area += (((after[0] - before[0]) / 100) * (after[1] + before[1])) / 2
  }
  const range = ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)) / 100
  const swapped = points.map(([calls, right]): CostPoint => [right, calls])
  const callsAt = (share: number): number => interpolate(weak + share * (strong - weak), swapped)
  return {
    n,
    weak,
    strong,
    apgr: (area - weak * range) / ((strong - weak) * range),
    cpt50: callsAt(0.5),
    cpt80: callsAt(0.8),
  }
}

/** Linear interpolation by binary search, as numpy's `interp` does also for abscissas that are not sorted. */
function interpolate(x: number, points: readonly CostPoint[]): number {
  const last = points.length - 1
  const [first, end] = [points[0], points[last]]
  if (!first || !end) return Number.NaN
  if (x <= first[0]) return first[1]
  if (x >= end[0]) return end[1]
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((points[middle]?.[0] ?? 0) <= x) low = middle
    else high = middle
  }
  const [a, b] = [points[low] ?? first, points[high] ?? end]
  return a[0] === b[0] ? a[1] : a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0])
}
