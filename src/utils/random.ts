/** A seeded source of randomness: same seed, same sequence, on every platform. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** A child whose sequence depends only on this seed and the label, not on how much was drawn before. */
  fork(label: string): Random
}

/** FNV-1a, 32 bits: a small stable hash for buckets and seeds, not for security. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let hash = seed >>> 0
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return hash >>> 0
}

/** Mulberry32: 32 bits of state, enough for sampling and tests. */
export function createRandom(seed: number | string): Random {
  const start = typeof seed === 'string' ? hash32(seed) : seed >>> 0
  let state = start
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let t = state
      t = Math.imul(t ^ (t >>> 15), t | 1)
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    },
    fork: label => createRandom(hash32(label, start ^ 0x9e3779b9)),
  }
}

/** So many of the items, each equally likely, in random order. */
export function sample<T>(items: readonly T[], count: number, random: Random): readonly T[] {
  const pool = [...items]
  return Array.from({ length: Math.min(count, pool.length) }, () => {
    const [chosen] = pool.splice(Math.floor(random.next() * pool.length), 1)
    return chosen as T // the pool is not empty
  })
}
