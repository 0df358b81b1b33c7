import { type CapabilityAd, MAX_ADS_PER_ANSWER } from '../../protocol/index.ts'
import type { Random } from '../../utils/random.ts'

/** An ad whose signature has been checked, with the form that is handed on. */
export interface SignedAd {
  readonly ad: CapabilityAd
  readonly jws: string
}

export interface AdFilter {
  /** @default 30, and at most that */
  readonly limit?: number
  /** Leaves out nodes that are busier. */
  readonly maxLoad?: number
  readonly region?: string
  readonly domain?: string
}

export interface AdAnswer {
  /** Matching ads, drawn at random so that work spreads. */
  readonly ads: readonly SignedAd[]
  /** The shard is full: others offer this capability too, one level deeper. */
  readonly full: boolean
}

/** `stored` also for an ad known already; `stale` for one older than known; `full` and `refused` keep nothing. */
export type PutVerdict = 'stored' | 'stale' | 'full' | 'refused'

export interface AdStoreOptions {
  /** An answer about a popular shard is drawn from so many. @default 500 */
  readonly adsPerKey?: number
  /** Shards held. @default 4096 */
  readonly keys?: number
  /** Shards one node may have ads in here: what it offers, at the levels it was sent through. @default 64 */
  readonly keysPerNode?: number
}

interface Held extends SignedAd {
  /** Seconds since the epoch of our clock, whatever the clock of the owner says. */
  readonly until: number
  readonly group: string
}

/**
 * The ads of the shards this node is a holder of. Pure: time and randomness come in. Everything is bounded: ads of a
 * shard, shards, shards of one node, lives, answers.
 */
export class AdStore {
  readonly #shards = new Map<string, Map<string, Held>>()
  readonly #keysOf = new Map<string, number>()
  readonly #adsPerKey: number
  readonly #keys: number
  readonly #keysPerNode: number

  constructor(options: AdStoreOptions = {}) {
    const { adsPerKey = 500, keys = 4096, keysPerNode = 64 } = options
    this.#adsPerKey = adsPerKey
    this.#keys = keys
    this.#keysPerNode = keysPerNode
  }

  /** Keeps an ad under a key. An ad that no longer names the capability ends the one before it. */
  put(key: string, capability: string, signed: SignedAd, nowS: number): PutVerdict {
    const { ad } = signed
    const shard = this.#shards.get(key)
    const known = shard?.get(ad.node)
    if (known && known.ad.seq >= ad.seq) return known.jws === signed.jws ? 'stored' : 'stale'
    if (ad.expiresAt <= nowS) return 'refused'
    if (!ad.capabilities.includes(capability)) {
      if (!known) return 'refused'
      this.#drop(key, ad.node)
      return 'stored'
    }
    const group = groupOf(ad)
    if (!known) {
      if ((this.#keysOf.get(ad.node) ?? 0) >= this.#keysPerNode) return 'refused'
      if (!shard && this.#shards.size >= this.#keys) return 'full'
      if (shard && shard.size >= this.#adsPerKey && !this.#makeRoom(key, shard, group, nowS)) return 'full'
      this.#keysOf.set(ad.node, (this.#keysOf.get(ad.node) ?? 0) + 1)
    }
    const until = Math.min(ad.expiresAt, nowS + (ad.expiresAt - ad.issuedAt))
    const held = this.#shards.get(key) ?? new Map<string, Held>()
    this.#shards.set(key, held.set(ad.node, { ...signed, until, group }))
    return 'stored'
  }

  get(key: string, filter: AdFilter, nowS: number, random: Random): AdAnswer {
    const limit = Math.min(filter.limit ?? MAX_ADS_PER_ANSWER, MAX_ADS_PER_ANSWER)
    const shard = this.#shards.get(key)
    if (!shard) return { ads: [], full: false }
    const drawn: Held[] = []
    let seen = 0
    // Reservoir sampling: one pass, whatever the number of ads.
    for (const held of shard.values()) {
      if (held.until <= nowS || !matches(held.ad, filter)) continue
      seen++
      if (drawn.length < limit) drawn.push(held)
      else {
        const place = Math.floor(random.next() * seen)
        if (place < limit) drawn[place] = held
      }
    }
    return { ads: drawn.map(({ ad, jws }) => ({ ad, jws })), full: shard.size >= this.#adsPerKey }
  }

  /** Drops what has expired. */
  expire(nowS: number): void {
    for (const [key, shard] of this.#shards)
      for (const [node, { until }] of shard) if (until <= nowS) this.#drop(key, node)
  }

  /** Ads held, over all shards. */
  get size(): number {
    return [...this.#shards.values()].reduce((sum, shard) => sum + shard.size, 0)
  }

  #drop(key: string, node: string): void {
    const shard = this.#shards.get(key)
    if (!shard?.delete(node)) return
    if (shard.size === 0) this.#shards.delete(key)
    const left = (this.#keysOf.get(node) ?? 1) - 1
    if (left > 0) this.#keysOf.set(node, left)
    else this.#keysOf.delete(node)
  }

  /**
   * Room for an ad of a group in a full shard: that of an expired ad, or one of the largest group if that is larger by
   * two. So one operator or one network cannot fill a shard against many (as in the waiting of DISC-NG).
   */
  #makeRoom(key: string, shard: ReadonlyMap<string, Held>, group: string, nowS: number): boolean {
    const sizes = new Map<string, number>()
    let largest: { group: string; node: string } | undefined
    for (const [node, held] of shard) {
      if (held.until <= nowS) {
        this.#drop(key, node)
        return true
      }
      const size = (sizes.get(held.group) ?? 0) + 1
      sizes.set(held.group, size)
      if (!largest || size > (sizes.get(largest.group) ?? 0)) largest = { group: held.group, node }
    }
    if (!largest || (sizes.get(largest.group) ?? 0) < (sizes.get(group) ?? 0) + 2) return false
    this.#drop(key, largest.node)
    return true
  }
}

const matches = (ad: CapabilityAd, { maxLoad, region, domain }: AdFilter): boolean =>
  (maxLoad === undefined || ad.load <= maxLoad) &&
  (region === undefined || ad.region === region) &&
  (domain === undefined || ad.domain === domain)

/** Ads that likely have one owner: of one IPv4 /24 or IPv6 /48. The domain is only a claim, so it does not separate. */
function groupOf(ad: CapabilityAd): string {
  const address = ad.addresses?.[0] ?? ''
  const v4 = /^\/ip4\/(\d+\.\d+\.\d+)\.\d+\//.exec(address)?.[1]
  const v6 = /^\/ip6\/([0-9a-f]*:[0-9a-f]*:[0-9a-f]*)/i.exec(address)?.[1]
  return v4 ?? v6 ?? 'elsewhere'
}
