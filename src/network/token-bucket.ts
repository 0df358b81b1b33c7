import type { Clock } from '../utils/clock.ts'

/** A rate limit: `take` is answered from a bucket of `burst` tokens that refills at `perSecond`. */
export interface TokenBucket {
  /** Takes `count` tokens if there are as many; tells whether it did. */
  take(count?: number): boolean
  /** Milliseconds until `count` tokens will be there. */
  waitMs(count?: number): number
}

export interface TokenBucketOptions {
  readonly perSecond: number
  readonly burst: number
}

export function createTokenBucket(clock: Pick<Clock, 'monotonic'>, options: TokenBucketOptions): TokenBucket {
  const { perSecond, burst } = options
  let tokens = burst
  let at = clock.monotonic()
  const refill = (): void => {
    const now = clock.monotonic()
    tokens = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
    at = now
  }
  return {
    take(count = 1) {
      refill()
      if (tokens < count) return false
      tokens -= count
      return true
    },
    waitMs(count = 1) {
      refill()
      return tokens >= count ? 0 : Math.ceil(((count - tokens) / perSecond) * 1000)
    },
  }
}

/** One bucket for each key, at most `maxKeys` of them: the one unused for longest is dropped, which only forgives it. */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #options: TokenBucketOptions
  readonly #maxKeys: number

  constructor(clock: Pick<Clock, 'monotonic'>, options: TokenBucketOptions, maxKeys = 1024) {
    this.#clock = clock
    this.#options = options
    this.#maxKeys = maxKeys
  }

  of(key: string): TokenBucket {
    const bucket = this.#buckets.get(key) ?? createTokenBucket(this.#clock, this.#options)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxKeys) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return bucket
  }
}
