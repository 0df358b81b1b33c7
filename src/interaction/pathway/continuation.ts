/** The text that follows one that was cut off, without what it says again. */
export interface Continuation {
  /** What is new in this piece; empty while all of it may still be repetition. */
  push(text: string): string
  /** What was held back and is new after all. */
  end(): string
}

/** Shorter agreement of an end and a beginning is chance. */
const MIN_OVERLAP = 8

/** Longest repetition that is looked for: an answer begun all over is one of its whole length. */
const MAX_OVERLAP = 16_000

/**
 * Models that are asked to go on often repeat the last words, or begin all over. Where the end of `before` is the
 * beginning of what follows, it is left out; the pieces are held until it is clear whether they repeat.
 */
export function createContinuation(before: string): Continuation {
  let held = ''
  let isNew = before === ''
  const release = (): string => {
    isNew = true
    return held.slice(overlap(before, held))
  }
  return {
    push(text) {
      if (isNew) return text
      held += text
      return held.length <= MAX_OVERLAP && before.includes(held) ? '' : release()
    },
    end: () => (isNew ? '' : release()),
  }
}

/** Length of the longest end of `before` that `after` begins with; 0 when it is too short to mean anything. */
function overlap(before: string, after: string): number {
  for (let length = Math.min(before.length, after.length); length >= MIN_OVERLAP; length--)
    if (before.endsWith(after.slice(0, length))) return length
  return 0
}
