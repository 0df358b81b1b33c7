/** A sparse vector: ascending order is not promised, no index occurs twice. */
export interface SparseVector {
  readonly indices: Int32Array
  readonly values: Float32Array
}

export interface TextFeatureOptions {
  /** Number of hash buckets, a power of two. */
  readonly dimensions: number
  /** Weight of pairs of neighbouring words; 0 leaves them out. @default 1 */
  readonly pairs?: number
  /** Lengths of character n-grams inside words. @default [3] */
  readonly characters?: readonly number[]
  /** Weight of character n-grams. @default 0.5 */
  readonly characterWeight?: number
  /** Words that are read; the first and the last halves of longer texts. @default 400 */
  readonly maxWords?: number
}

/** Turns text into hashed counts. Not re-entrant across threads; cheap to call often. */
export type TextFeatures = (text: string) => SparseVector

/** FNV-1a offset and prime, 32 bits (draft-eastlake-fnv). */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * Words (numbers by their length, Chinese by character), pairs of words, and character n-grams of words, hashed into
 * buckets. The same text gives the same vector on every platform.
 */
export function createTextFeatures(options: TextFeatureOptions): TextFeatures {
  const { dimensions, pairs = 1, characters = [3], characterWeight = 0.5, maxWords = 400 } = options
  const mask = dimensions - 1
  const counts = new Float32Array(dimensions)
  const touched = new Int32Array(dimensions)
  let size = 0

  const add = (hash: number, weight: number): void => {
    const bucket = mixBits(hash) & mask
    if (counts[bucket] === 0) touched[size++] = bucket
    counts[bucket] = (counts[bucket] ?? 0) + weight
  }

  return text => {
    size = 0
    const words = splitWords(text, maxWords)
    let previous = hashOf('^', FNV_OFFSET)
    for (const word of words) {
      const hash = hashOf(word, FNV_OFFSET)
      add(hash, 1)
      if (pairs > 0) add(Math.imul(previous ^ 0x9e3779b9, FNV_PRIME) ^ hash, pairs)
      previous = hash
      if (characterWeight > 0 && word.length > 2 && word.charCodeAt(0) > 64) {
        const padded = `<${word}>`
        for (const length of characters)
          for (let start = 0; start + length <= padded.length; start++)
            add(hashOf(padded, FNV_OFFSET ^ (length * 0x5bd1e995), start, start + length), characterWeight)
      }
    }
    if (pairs > 0) add(Math.imul(previous ^ 0x9e3779b9, FNV_PRIME) ^ hashOf('$', FNV_OFFSET), pairs)
    const indices = touched.slice(0, size)
    const values = new Float32Array(size)
    for (let at = 0; at < size; at++) {
      const bucket = indices[at] ?? 0
      values[at] = counts[bucket] ?? 0
      counts[bucket] = 0
    }
    return { indices, values }
  }
}

const WORD = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{N}]/gu

/** Lower-case words, punctuation marks and number shapes: `347` is `#3`, so that a number never seen is still a number. */
export function splitWords(text: string, maxWords = 400): string[] {
  // four characters a word, and as much again for long ones: the middle of a long prompt is not read at all
  const half = maxWords * 8
  const read = text.length > 2 * half ? `${text.slice(0, half)} ${text.slice(-half)}` : text
  const words = read.toLowerCase().match(WORD) ?? []
  const kept = words.length > maxWords ? [...words.slice(0, maxWords / 2), ...words.slice(-maxWords / 2)] : words
  return kept.map(word => (/^\p{N}/u.test(word) ? `#${Math.min(word.length, 5)}` : word))
}

/** Divides by the Euclidean length, in place. */
export function normalise({ values }: SparseVector): void {
  let sum = 0
  for (const value of values) sum += value * value
  if (sum === 0) return
  const scale = 1 / Math.sqrt(sum)
  for (let at = 0; at < values.length; at++) values[at] = (values[at] ?? 0) * scale
}

function hashOf(text: string, seed: number, start = 0, end: number = text.length): number {
  let hash = seed
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  return hash >>> 0
}

/** FNV's low bits are its weakest: a finaliser spreads the high ones into them. */
function mixBits(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) >>> 0
}
