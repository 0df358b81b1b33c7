import { z } from 'zod'
import { MAX_ADS_PER_ANSWER, TagSchema, type Verifier } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Random } from '../../utils/random.ts'
import type { CallHandlers } from '../channel.ts'
import { read } from '../exchange.ts'
import { TokenBuckets } from '../token-bucket.ts'
import { MAX_LEVEL, shardOf, toAdKey } from './ad-key.ts'
import {
  type AdAnswer,
  type AdFilter,
  AdStore,
  type AdStoreOptions,
  type PutVerdict,
  type SignedAd,
} from './ad-store.ts'

/** Methods of ads on the channel of a pair of nodes. */
export const AD_METHODS = { put: 'ad/put', get: 'ad/get' } as const

const level = z.int().min(0).max(MAX_LEVEL)
const index = z
  .int()
  .min(0)
  .max(2 ** MAX_LEVEL - 1)
const label = z.string().min(1).max(64)

/** The shard follows from the node of the ad, so nobody can put an ad under a key it does not belong to. */
const PutSchema = z.object({ capability: TagSchema, level, ad: z.string().min(1) })
export const PutAnswerSchema: z.ZodType<{ readonly verdict: PutVerdict }> = z.object({
  verdict: z.enum(['stored', 'stale', 'full', 'refused']),
})
const GetSchema = z.object({
  capability: TagSchema,
  level,
  index,
  filter: z.object({
    limit: z.int().min(1).max(MAX_ADS_PER_ANSWER).exactOptional(),
    maxLoad: z.int().min(0).max(4).exactOptional(),
    region: label.exactOptional(),
    domain: label.exactOptional(),
  }),
})
export const GetAnswerSchema: z.ZodType<{ readonly ads: string[]; readonly full: boolean }> = z.object({
  ads: z.array(z.string().min(1)).max(MAX_ADS_PER_ANSWER),
  full: z.boolean(),
})

/** Holds ads for others, as every reachable node of a large network does. */
export interface AdHolder {
  readonly handlers: CallHandlers
  put(capability: string, level: number, signed: SignedAd): PutVerdict
  get(capability: string, level: number, index: number, filter: AdFilter): AdAnswer
  /** Ads held. */
  size(): number
}

export interface AdHolderComponents {
  readonly verifier: Verifier
  readonly clock: Clock
  readonly random: Random
}

/** What one peer may ask: a provider refreshes some capabilities a minute, a searcher asks a shard or two. */
const REQUESTS = { burst: 200, perSecond: 20 }
const EXPIRE_INTERVAL_MS = 10_000

export function createAdHolder(components: AdHolderComponents, options: AdStoreOptions = {}): AdHolder {
  const { verifier, clock, random } = components
  const store = new AdStore(options)
  const requests = new TokenBuckets(clock, REQUESTS)
  let expiredAt = clock.monotonic()

  const nowS = (): number => clock.now() / 1000
  const limit = (peer: string): void => {
    if (!requests.of(peer).take())
      throw new ModelNetError('OVERLOADED', `${peer} asks for more than ${REQUESTS.perSecond} ads a second`)
    if (clock.monotonic() - expiredAt < EXPIRE_INTERVAL_MS) return
    expiredAt = clock.monotonic()
    store.expire(nowS())
  }
  const keyOf = (capability: string, shardLevel: number, shardIndex: number): string =>
    Buffer.from(toAdKey(capability, { level: shardLevel, index: shardIndex })).toString('base64')

  const put: AdHolder['put'] = (capability, shardLevel, signed) =>
    store.put(keyOf(capability, shardLevel, shardOf(signed.ad.node, shardLevel).index), capability, signed, nowS())
  const get: AdHolder['get'] = (capability, shardLevel, shardIndex, filter) =>
    store.get(keyOf(capability, shardLevel, shardIndex), filter, nowS(), random)

  return {
    put,
    get,
    size: () => store.size,
    handlers: {
      async *[AD_METHODS.put](body, _call, { peer }) {
        limit(peer)
        const request = read(PutSchema, body, AD_METHODS.put)
        const { document: ad } = await verifier.verifyAd(request.ad)
        yield { verdict: put(request.capability, request.level, { ad, jws: request.ad }) }
      },
      async *[AD_METHODS.get](body, _call, { peer }) {
        limit(peer)
        const request = read(GetSchema, body, AD_METHODS.get)
        const { ads, full } = get(request.capability, request.level, request.index, request.filter)
        yield { ads: ads.map(({ jws }) => jws), full }
      },
    },
  }
}
