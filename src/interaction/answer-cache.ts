import type { Clock } from '../utils/clock.ts'
import type { Answer, AnswerCache } from './pathway/path.ts'

/** Answers kept in memory; the oldest go first. */
export function createAnswerCache(clock: Clock, maxAnswers = 1000): AnswerCache {
  const kept = new Map<string, { readonly answer: Answer; readonly until: number }>()
  return {
    get(key) {
      const found = kept.get(key)
      if (found && found.until > clock.monotonic()) return found.answer
      kept.delete(key)
      return undefined
    },
    set(key, answer, ttlMs) {
      kept.delete(key)
      kept.set(key, { answer, until: clock.monotonic() + ttlMs })
      for (const oldest of kept.keys()) {
        if (kept.size <= maxAnswers) break
        kept.delete(oldest)
      }
    },
  }
}
