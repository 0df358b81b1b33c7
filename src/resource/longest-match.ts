import { ModelNetError } from '../utils/errors.ts'

/**
 * Spells any bytes in tokens of a vocabulary by the longest token at each place: not always the tokens the model was
 * trained on, but always the right bytes. Throws UNSUPPORTED for a byte that no token begins with.
 */
export function createLongestMatch(
  vocabulary: readonly (Uint8Array | null)[],
): (bytes: Uint8Array) => readonly number[] {
  const ids = new Map<string, number>()
  let longest = 0
  vocabulary.forEach((bytes, id) => {
    if (!bytes || bytes.length === 0 || bytes.length > MAX_TOKEN_BYTES) return
    const key = toKey(bytes)
    // The first token of a spelling: later ones are duplicates such as byte tokens.
    if (!ids.has(key)) ids.set(key, id)
    longest = Math.max(longest, bytes.length)
  })
  return bytes => {
    const tokens: number[] = []
    for (let at = 0; at < bytes.length; ) {
      let length = Math.min(longest, bytes.length - at)
      let id: number | undefined
      for (; length > 0; length--) {
        id = ids.get(toKey(bytes.subarray(at, at + length)))
        if (id !== undefined) break
      }
      if (id === undefined)
        throw new ModelNetError('UNSUPPORTED', `the model has no token for byte 0x${bytes[at]?.toString(16)}`)
      tokens.push(id)
      at += length
    }
    return tokens
  }
}

/** Longer tokens exist (runs of spaces, rules of dashes), but nothing is lost by spelling them in parts. */
const MAX_TOKEN_BYTES = 64

const toKey = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
