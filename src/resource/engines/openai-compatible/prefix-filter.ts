/** Takes a repeated prefix off the beginning of a stream of text. */
export interface PrefixFilter {
  push(text: string): string
  /** What was held back, when the stream ends before it was clear. */
  end(): string
}

/** Lets everything through once the text differs from the prefix, or has passed it. */
export function createPrefixFilter(prefix: string): PrefixFilter {
  let held = ''
  let deciding = prefix.length > 0
  const release = (text: string): string => {
    deciding = false
    held = ''
    return text
  }
  return {
    push(text) {
      if (!deciding) return text
      held += text
      if (held.startsWith(prefix)) return release(held.slice(prefix.length))
      return prefix.startsWith(held) ? '' : release(held)
    },
    end: () => release(held),
  }
}
