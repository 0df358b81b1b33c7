import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Median, 95th percentile and greatest of some values; undefined for none. */
export function spread(values: readonly number[]): object | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  return { median: at(0.5), p95: at(0.95), most: round(sorted.at(-1) ?? 0), count: sorted.length }
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** Bytes of the heap that are in use, after collection. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Resolves the promise while simulated time passes. Throws when it takes longer than `mostMs` of it. */
export async function within<T>(
  clock: { advance(ms: number): Promise<void> },
  promise: Promise<T>,
  mostMs = 60_000,
): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined
  promise.then(
    value => {
      outcome = { value }
    },
    error => {
      outcome = { error }
    },
  )
  for (let passed = 0; outcome === undefined; passed += 20) {
    if (passed > mostMs) throw new Error(`nothing within ${mostMs} ms of simulated time`)
    await clock.advance(20)
  }
  if ('error' in outcome) throw outcome.error
  return outcome.value
}
