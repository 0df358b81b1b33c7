import type { Clock } from '../utils/clock.ts'

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Lets time pass: whoever sleeps is woken in the order of waking, and what that sets going runs before the next. */
  advance(ms: number): Promise<void>
  /** Sleepers that have not been woken. */
  readonly sleepers: number
}

interface Sleeper {
  readonly at: number
  wake(): void
}

/** `start` is milliseconds since the epoch. @default 2026-01-01 */
export function createManualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0
  const sleepers = new Set<Sleeper>()
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = (): void => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          at: elapsed + Math.max(0, ms),
          wake() {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    async advance(ms) {
      const until = elapsed + ms
      await settle()
      for (let next = earliest(sleepers, until); next; next = earliest(sleepers, until)) {
        elapsed = next.at
        next.wake()
        await settle()
      }
      elapsed = until
    },
    get sleepers() {
      return sleepers.size
    },
  }
}

/** Runs everything that is ready, without waiting for time. */
export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function earliest(sleepers: ReadonlySet<Sleeper>, until: number): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers) if (sleeper.at <= until && sleeper.at < (first?.at ?? Infinity)) first = sleeper
  return first
}
