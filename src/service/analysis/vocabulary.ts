import { hash32 } from '../../utils/random.ts'

/** A set of words as a Bloom filter with one hash: small, and wrong only by taking some unknown word for known. */
export interface Vocabulary {
  readonly bits: Uint8Array
  has(word: string): boolean
  add(word: string): void
}

/** 32,768 bits hold the 3,000 words of the training questions with fewer than one unknown word in ten taken for known. */
const VOCABULARY_BYTES = 4096

export function createVocabulary(bits: Uint8Array = new Uint8Array(VOCABULARY_BYTES)): Vocabulary {
  const place = (word: string): readonly [number, number] => {
    const hash = hash32(word) % (bits.length * 8)
    return [hash >>> 3, 1 << (hash & 7)]
  }
  return {
    bits,
    has(word) {
      const [at, bit] = place(word)
      return ((bits[at] ?? 0) & bit) !== 0
    },
    add(word) {
      const [at, bit] = place(word)
      bits[at] = (bits[at] ?? 0) | bit
    },
  }
}
