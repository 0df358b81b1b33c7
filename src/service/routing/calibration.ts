/** A non-decreasing map from stated to observed quality, as points that are joined by straight lines. */
export interface Calibration {
  readonly stated: readonly number[]
  readonly observed: readonly number[]
}

/** Fewest observations of one point: fewer would chase noise. */
const MIN_POOL = 100

/**
 * Isotonic regression by pooling adjacent violators, over at least `MIN_POOL` observations a point; pools are joined
 * linearly so that the order of close estimates survives.
 */
export function fitCalibration(stated: ArrayLike<number>, observed: ArrayLike<number>): Calibration {
  const order = Array.from({ length: stated.length }, (_, at) => at).filter(
    at => !Number.isNaN(observed[at] ?? Number.NaN),
  )
  order.sort((a, b) => (stated[a] ?? 0) - (stated[b] ?? 0))
  const size = Math.max(MIN_POOL, Math.ceil(order.length / 40))
  const pools: { x: number; y: number; n: number }[] = []
  for (let start = 0; start < order.length; start += size) {
    const part = order.slice(start, start + size)
    if (part.length < size / 2 && pools.length > 0) break
    const mean = (values: ArrayLike<number>): number =>
      part.reduce((sum, at) => sum + (values[at] ?? 0), 0) / part.length
    pools.push({ x: mean(stated), y: mean(observed), n: part.length })
    while (pools.length > 1 && (pools.at(-2)?.y ?? 0) > (pools.at(-1)?.y ?? 0)) {
      const [b, a] = [pools.pop(), pools.pop()]
      if (!a || !b) break
      const n = a.n + b.n
      pools.push({ x: (a.x * a.n + b.x * b.n) / n, y: (a.y * a.n + b.y * b.n) / n, n })
    }
  }
  return { stated: pools.map(({ x }) => x), observed: pools.map(({ y }) => y) }
}

/** The observed quality that goes with a stated one; unchanged where nothing was fitted. */
export function calibrate({ stated, observed }: Calibration, value: number): number {
  const last = stated.length - 1
  if (last < 0) return Math.min(1, Math.max(0, value))
  if (value <= (stated[0] ?? 0)) return shift(value, stated[0], observed[0])
  if (value >= (stated[last] ?? 0)) return shift(value, stated[last], observed[last])
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((stated[middle] ?? 0) <= value) low = middle
    else high = middle
  }
  const share = (value - (stated[low] ?? 0)) / Math.max(1e-9, (stated[high] ?? 0) - (stated[low] ?? 0))
  return (observed[low] ?? 0) + share * ((observed[high] ?? 0) - (observed[low] ?? 0))
}

/** Beyond the last point the map goes on at half the slope, so that order is kept and nothing leaves 0..1. */
const shift = (value: number, stated = 0, observed = 0): number =>
  Math.min(1, Math.max(0, observed + 0.5 * (value - stated)))
