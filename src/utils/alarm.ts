import type { Clock } from './clock.ts'

/** Timers that are set for every message and nearly always unset again: many share one sleep of the clock. */
export interface Alarm {
  /** Calls `action` after so many ms, unless the returned function was called before. */
  after(ms: number, action: () => void): () => void
  /** Forgets all that is set. Nothing can be set afterwards. */
  close(): void
}

interface Entry {
  readonly at: number
  readonly action: () => void
}

export function createAlarm(clock: Clock): Alarm {
  const entries = new Set<Entry>()
  /** When the sleeps end that are in progress. */
  const wakings = new Set<number>()
  const closing = new AbortController()

  const sleepUntil = (at: number): void => {
    // Whoever wakes before looks after this one as well.
    for (const waking of wakings) if (waking <= at) return
    wakings.add(at)
    clock.sleep(Math.max(0, at - clock.monotonic()), closing.signal).then(
      () => {
        wakings.delete(at)
        ring(at)
      },
      () => undefined, // closed
    )
  }
  /** A timer may end a little early by the other clock; what was due at its end is due. */
  const ring = (at: number): void => {
    const now = Math.max(at, clock.monotonic())
    const due = [...entries].filter(entry => entry.at <= now).sort((a, b) => a.at - b.at)
    for (const entry of due) if (entries.delete(entry)) entry.action()
    let earliest = Number.POSITIVE_INFINITY
    for (const entry of entries) earliest = Math.min(earliest, entry.at)
    if (earliest < Number.POSITIVE_INFINITY) sleepUntil(earliest)
  }
  return {
    after(ms, action) {
      if (closing.signal.aborted) return () => undefined
      const entry: Entry = { at: clock.monotonic() + ms, action }
      entries.add(entry)
      sleepUntil(entry.at)
      return () => void entries.delete(entry)
    },
    close() {
      entries.clear()
      closing.abort()
    },
  }
}
