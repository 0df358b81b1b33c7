import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CapabilityAd } from '../../protocol/index.ts'
import { createRandom } from '../../utils/random.ts'
import { MAX_LEVEL, shardOf, toAdKey } from './ad-key.ts'
import { AdStore, type SignedAd } from './ad-store.ts'

const NOW = 1_800_000_000
const SKILL = 'skill:arithmetic'
const random = createRandom(1)

const offer = (node: string, change: Partial<CapabilityAd> = {}): SignedAd => {
  const ad: CapabilityAd = {
    version: 1,
    node,
    seq: 1,
    capabilities: [SKILL],
    addresses: [`/ip4/10.0.0.1/tcp/1/p2p/${node}`],
    load: 0,
    issuedAt: NOW,
    expiresAt: NOW + 120,
    ...change,
  }
  return { ad, jws: JSON.stringify(ad) }
}
const nodesOf = (store: AdStore, filter = {}, now = NOW): string[] =>
  store.get('k', filter, now, random).ads.map(({ ad }) => ad.node)

describe('AdStore', () => {
  it('answers from 10,000 ads on one key with at most 30, in less than 50 ms', () => {
    const store = new AdStore({ adsPerKey: 10_000 })
    for (let index = 0; index < 10_000; index++)
      store.put(
        'k',
        SKILL,
        offer(`n${index}`, { load: index % 5, addresses: [`/ip4/10.${index % 250}.0.1/tcp/1`] }),
        NOW,
      )
    expect(store.size).toBe(10_000)
    const times = Array.from({ length: 21 }, () => {
      const start = performance.now()
      const { ads, full } = store.get('k', { maxLoad: 1 }, NOW, random)
      const took = performance.now() - start
      expect([ads.length, full]).toEqual([30, true])
      expect(ads.every(({ ad }) => ad.load <= 1)).toBe(true)
      return took
    })
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(50)
    expect(new Set(Array.from({ length: 50 }, () => nodesOf(store)).flat()).size).toBeGreaterThan(1000)
  })

  it('lets a leaver go within its life, by the clock of the holder', () => {
    const store = new AdStore()
    store.put('k', SKILL, offer('a'), NOW)
    store.put('k', SKILL, offer('fast-clock', { issuedAt: NOW + 200, expiresAt: NOW + 320 }), NOW)
    expect(nodesOf(store, {}, NOW + 119)).toEqual(['a', 'fast-clock'])
    expect(nodesOf(store, {}, NOW + 120)).toEqual([])
    store.expire(NOW + 120)
    expect(store.size).toBe(0)
  })

  it('keeps the newest ad of a node, whatever is played back', () => {
    const store = new AdStore()
    const old = offer('a', { seq: 1, load: 0 })
    expect(store.put('k', SKILL, offer('a', { seq: 2, load: 4 }), NOW)).toBe('stored')
    expect(store.put('k', SKILL, old, NOW)).toBe('stale')
    expect(store.put('k', SKILL, offer('b', { expiresAt: NOW }), NOW)).toBe('refused')
    expect(store.get('k', {}, NOW, random).ads.map(({ ad }) => ad.load)).toEqual([4])
  })

  it('forgets a node at once when its newer ad no longer names the capability', () => {
    const store = new AdStore()
    store.put('k', SKILL, offer('a'), NOW)
    expect(store.put('k', SKILL, offer('a', { seq: 2, capabilities: ['skill:other'] }), NOW)).toBe('stored')
    expect(nodesOf(store)).toEqual([])
    expect(store.put('k', SKILL, offer('b', { capabilities: ['skill:other'] }), NOW)).toBe('refused')
  })

  it('does not let one network fill a shard against many', () => {
    const store = new AdStore({ adsPerKey: 100 })
    for (let index = 0; index < 500; index++) store.put('k', SKILL, offer(`sybil${index}`), NOW)
    expect(store.size).toBe(100)
    for (let index = 0; index < 60; index++)
      expect(store.put('k', SKILL, offer(`honest${index}`, { addresses: [`/ip4/10.${index}.9.1/tcp/1`] }), NOW)).toBe(
        'stored',
      )
    expect(store.size).toBe(100)
    const { full } = store.get('k', {}, NOW, random)
    expect(full).toBe(true)
    const seen = new Set(Array.from({ length: 60 }, () => nodesOf(store)).flat())
    expect([...seen].filter(node => node.startsWith('honest')).length).toBe(60)
  })

  it('is bounded in keys, and in keys of one node', () => {
    const store = new AdStore({ keys: 10, keysPerNode: 3 })
    const verdicts = Array.from({ length: 5 }, (_, index) => store.put(`k${index}`, SKILL, offer('a'), NOW))
    expect(verdicts).toEqual(['stored', 'stored', 'stored', 'refused', 'refused'])
    for (let index = 0; index < 100; index++) store.put(`x${index}`, SKILL, offer(`n${index}`), NOW)
    expect(store.size).toBe(10)
  })

  it('stays within its bounds and its counts whatever comes', () => {
    const put = fc.tuple(fc.nat(4), fc.nat(8), fc.nat(5), fc.nat(300), fc.boolean())
    fc.assert(
      fc.property(fc.array(put, { maxLength: 80 }), puts => {
        const store = new AdStore({ adsPerKey: 3, keys: 3, keysPerNode: 2 })
        let now = NOW
        for (const [key, node, seq, pause, names] of puts) {
          now += pause
          const capabilities = names ? [SKILL] : ['skill:other']
          const ad = offer(`n${node}`, { seq: seq + 1, issuedAt: now, expiresAt: now + 120, capabilities })
          store.put(`k${key}`, SKILL, ad, now)
          expect(store.size).toBeLessThanOrEqual(9)
        }
        store.expire(now + 1000)
        expect(store.size).toBe(0)
        // Nothing is left behind in the counts either: every node may come again.
        for (const node of [0, 1, 2])
          expect(store.put('again', SKILL, offer(`n${node}`, { expiresAt: now + 2000 }), now + 1000)).toBe('stored')
      }),
    )
  })
})

describe('shards', () => {
  it('are spread evenly, and each level splits those of the level above', () => {
    const counts = new Array<number>(8).fill(0)
    for (let index = 0; index < 8000; index++) {
      const node = `12D3KooW${index}`
      const shard = shardOf(node, 3).index
      counts[shard] = (counts[shard] ?? 0) + 1
      expect(shardOf(node, 2).index).toBe(shard >> 1)
      expect(shardOf(node, MAX_LEVEL).index).toBeLessThan(2 ** MAX_LEVEL)
    }
    expect(Math.min(...counts)).toBeGreaterThan(700)
  })

  it('have keys of their own', () => {
    const key = (capability: string, level: number, index: number) =>
      Buffer.from(toAdKey(capability, { level, index })).toString('hex')
    const keys = [key(SKILL, 0, 0), key(SKILL, 1, 0), key(SKILL, 1, 1), key('skill:x', 0, 0)]
    expect(new Set(keys).size).toBe(4)
    expect(keys[0]).toHaveLength(64)
  })
})
