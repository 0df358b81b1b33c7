import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTokenBucket, TokenBuckets } from './token-bucket.ts'

const manual = () => {
  let now = 0
  return { monotonic: () => now, pass: (ms: number) => (now += ms) }
}

describe('createTokenBucket', () => {
  it('allows a burst, then the rate', () => {
    const clock = manual()
    const bucket = createTokenBucket(clock, { perSecond: 10, burst: 3 })
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false])
    expect(bucket.waitMs()).toBe(100)
    clock.pass(100)
    expect([bucket.take(), bucket.take()]).toEqual([true, false])
  })

  it('never allows more than burst plus rate times time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 200 }), pauses => {
        const clock = manual()
        const bucket = createTokenBucket(clock, { perSecond: 20, burst: 5 })
        let taken = 0
        for (const pause of pauses) {
          clock.pass(pause)
          while (bucket.take()) taken++
        }
        expect(taken).toBeLessThanOrEqual(5 + (clock.monotonic() / 1000) * 20 + 1e-6)
      }),
    )
  })
})

describe('TokenBuckets', () => {
  it('keeps keys apart and their number bounded', () => {
    const buckets = new TokenBuckets(manual(), { perSecond: 1, burst: 1 }, 2)
    expect(buckets.of('a').take()).toBe(true)
    expect(buckets.of('b').take()).toBe(true)
    expect(buckets.of('a').take()).toBe(false)
    buckets.of('c') // drops b, the one unused for longest
    expect(buckets.of('a').take()).toBe(false)
    expect(buckets.of('b').take()).toBe(true)
  })
})
