import { setMaxListeners } from 'node:events'
import type { Verifier } from '../../protocol/index.ts'
import { AsyncQueue } from '../../utils/async-queue.ts'
import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import { type Random, sample } from '../../utils/random.ts'
import { ask } from '../exchange.ts'
import type { PeerLinks } from '../peer-links.ts'
import { HOLDERS, type PeerRouter } from '../peer-router.ts'
import { AD_METHODS, type AdHolder, GetAnswerSchema } from './ad-holder.ts'
import { aboveOf, belowOf, MAX_LEVEL, type Shard, toAdKey } from './ad-key.ts'
import type { AdFilter, SignedAd } from './ad-store.ts'

export interface AdFinderComponents {
  readonly nodeId: string
  readonly holder: AdHolder
  readonly links: PeerLinks
  readonly router: PeerRouter
  readonly verifier: Verifier
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface FindOptions {
  /** Ads that are enough. @default 30 */
  readonly limit?: number
  readonly filter?: Omit<AdFilter, 'limit'>
  readonly signal?: AbortSignal
}

/** Finds who offers a capability. The first come as soon as one holder answers; peers that hang delay nobody. */
export type FindAds = (capability: string, options?: FindOptions) => AsyncGenerator<SignedAd, void, undefined>

interface Answer {
  readonly ads: readonly string[]
  readonly full: boolean
}

const GET_TIMEOUT_MS = 2000
/** Questions of one search in flight. */
const MAX_ASKED_AT_ONCE = 6
/** Peers asked on the way to a key: the longer it is, the fewer of the first are holders. */
const MAX_ON_THE_WAY = 2 * HOLDERS
/** In all: those, and the closest, who are asked whoever was met before. */
const MAX_ASKED = MAX_ON_THE_WAY + HOLDERS
/** Holders that agree: so many answers without a new ad are enough. Three, so that one liar does not hide the rest. */
const ENOUGH_SILENT = 3
const MAX_DEPTHS = 1024
/** Shards one search asks at most, when filters leave little of each: a lookup of holders for each. */
const MAX_SHARDS = 24

export function createAdFinder(components: AdFinderComponents): FindAds {
  const { nodeId, holder, links, router, verifier, clock, random, logger } = components

  /** The deepest level known of the capabilities that have more than one. */
  const depths = new Map<string, number>()

  return async function* find(capability, options = {}) {
    const { limit = 30, filter = {}, signal } = options
    const seen = new Set<string>([nodeId])
    const visited = new Set<string>()
    const start = randomShard(depths.get(capability) ?? 0)
    // Deeper first, then what lies above. Who holds an ad is below full shards only, so nothing else need be asked.
    const agenda: Shard[] = [...aboveOf(start), start]
    for (let shard = agenda.pop(); shard && seen.size <= limit && visited.size < MAX_SHARDS; shard = agenda.pop()) {
      const name = `${shard.level} ${shard.index}`
      if (visited.has(name)) continue
      visited.add(name)
      const isFull = yield* searchShard(capability, shard, { limit, filter, signal }, seen)
      if (isFull && shard.level < MAX_LEVEL) agenda.push(...sample(belowOf(shard), 2, random))
    }
  }

  /**
   * A shard of any level there is, each as likely as another: the holders of a capability that all use share its
   * searches, and its providers the work. Who has never searched for it begins at the one shard of level 0.
   */
  function randomShard(depth: number): Shard {
    const level = Math.floor(Math.log2(1 + random.next() * (2 ** (depth + 1) - 1)))
    return { level, index: Math.floor(random.next() * 2 ** level) }
  }

  /** What a shard holds and has not been seen; returns whether there is more below it. */
  async function* searchShard(
    capability: string,
    shard: Shard,
    { limit, filter, signal }: { limit: number; filter: AdFilter; signal: AbortSignal | undefined },
    seen: Set<string>,
  ): AsyncGenerator<SignedAd, boolean, undefined> {
    const { level } = shard
    let [isFull, isEmpty] = [false, true]
    try {
      for await (const answer of query(capability, shard, filter, signal)) {
        isFull ||= answer.full
        for (const jws of answer.ads) {
          const signed = await check(capability, jws, filter)
          if (!signed) continue
          isEmpty = false
          if (seen.has(signed.ad.node)) continue
          seen.add(signed.ad.node)
          yield signed
          if (seen.size > limit) return isFull
        }
      }
      return isFull
    } finally {
      learnDepth(capability, isFull ? level + 1 : isEmpty ? level - 1 : level, level)
    }
  }

  /** A level that is full has one below it, one that is empty has none. */
  function learnDepth(capability: string, depth: number, level: number): void {
    const known = depths.get(capability) ?? 0
    const next = depth > known ? Math.min(depth, MAX_LEVEL) : depth < level && known >= level ? level - 1 : known
    depths.delete(capability)
    if (next > 0) depths.set(capability, next)
    const [oldest] = depths.keys()
    if (depths.size > MAX_DEPTHS && oldest !== undefined) depths.delete(oldest)
  }

  /** What a holder says is checked again: the signature, and that it is an answer to the question. */
  async function check(capability: string, jws: string, filter: AdFilter): Promise<SignedAd | undefined> {
    try {
      const { document: ad } = await verifier.verifyAd(jws)
      const isAsked =
        ad.capabilities.includes(capability) &&
        (filter.maxLoad === undefined || ad.load <= filter.maxLoad) &&
        (filter.region === undefined || ad.region === filter.region) &&
        (filter.domain === undefined || ad.domain === filter.domain)
      return isAsked ? { ad, jws } : undefined
    } catch (error) {
      logger.debug({ capability, reason: String(error) }, 'a holder gave an ad that does not verify')
      return undefined
    }
  }

  /** Answers of the holders of one shard, in the order they come, until several say nothing new. */
  async function* query(
    capability: string,
    shard: Shard,
    filter: AdFilter,
    outer: AbortSignal | undefined,
  ): AsyncGenerator<Answer, void, undefined> {
    const stop = new AbortController()
    // Not `AbortSignal.any`: a signal that lives as long as the node would remember every search.
    const onAbort = (): void => stop.abort(outer?.reason)
    if (outer?.aborted) onAbort()
    outer?.addEventListener('abort', onAbort, { once: true })
    const { signal } = stop
    setMaxListeners(0, signal) // one for each holder that is asked
    const answers = new AsyncQueue<Answer>()
    const own = holder.get(capability, shard.level, shard.index, filter)
    if (own.ads.length > 0) answers.push({ ads: own.ads.map(({ jws }) => jws), full: own.full })
    const asking = askHolders(capability, shard, filter, signal, answers).then(
      () => answers.end(),
      error => (outer?.aborted ? answers.fail(error) : answers.end()),
    )
    const known = new Set<string>()
    let silent = 0
    try {
      for await (const answer of answers) {
        const isNew = answer.ads.some(jws => !known.has(jws))
        for (const jws of answer.ads) known.add(jws)
        yield answer
        // Who has none may only be on the way, and this node has its own: that is no agreement.
        if (isNew) silent = 0
        else if (answer.ads.length > 0) silent++
        if (silent >= ENOUGH_SILENT) return
      }
    } finally {
      outer?.removeEventListener('abort', onAbort)
      stop.abort(new ModelNetError('CANCELLED', 'enough was found'))
      await asking
    }
  }

  async function askHolders(
    capability: string,
    shard: Shard,
    filter: AdFilter,
    signal: AbortSignal,
    answers: AsyncQueue<Answer>,
  ): Promise<void> {
    const asked = new Set<string>([nodeId])
    const running = new Set<Promise<void>>()
    for await (const { peer, kind } of router.find(toAdKey(capability, shard), { signal })) {
      if (asked.has(peer) || (kind === 'near' && asked.size > MAX_ON_THE_WAY)) continue
      if (asked.size > MAX_ASKED) break
      asked.add(peer)
      const one: Promise<void> = askOne(peer, { capability, ...shard, filter }, signal)
        .then(answer => answer && answers.push(answer))
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= MAX_ASKED_AT_ONCE) await Promise.race(running)
    }
    await Promise.all(running)
  }

  async function askOne(peer: string, body: object, signal: AbortSignal): Promise<Answer | undefined> {
    try {
      return await withDeadline(clock, { signal, deadlineMs: GET_TIMEOUT_MS }, async within => {
        const channel = await links.channel(peer, { signal: within })
        for await (const answer of ask(channel, AD_METHODS.get, body, GetAnswerSchema, GET_TIMEOUT_MS, within))
          return answer
        return undefined
      })
    } catch (error) {
      logger.debug({ peer, reason: String(error) }, 'a holder did not answer')
    }
    return undefined
  }
}
