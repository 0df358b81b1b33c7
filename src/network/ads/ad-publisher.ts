import { setMaxListeners } from 'node:events'
import { type CapabilityAd, DOCUMENT_TYPES, type Signer, signDocument } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import type { Logger } from '../../utils/logger.ts'
import { ask } from '../exchange.ts'
import type { PeerLinks } from '../peer-links.ts'
import { HOLDERS, type PeerRouter } from '../peer-router.ts'
import { AD_METHODS, type AdHolder, PutAnswerSchema } from './ad-holder.ts'
import { MAX_LEVEL, shardOf, toAdKey } from './ad-key.ts'
import type { PutVerdict, SignedAd } from './ad-store.ts'

/** What a node advertises. */
export interface Offer {
  /** Canonical tags, at most 32. */
  readonly capabilities: readonly string[]
  /** 0 idle to 4 full. */
  readonly load: number
  readonly region?: string
  readonly domain?: string
}

export interface AdPublisherComponents {
  readonly signer: Signer
  readonly holder: AdHolder
  readonly links: PeerLinks
  readonly router: PeerRouter
  readonly clock: Clock
  readonly logger: Logger
  readonly addresses: () => readonly string[]
}

export interface AdPublisher {
  /** Puts the offer at the holders of each of its capabilities; resolves to the number of holders that took it. */
  publish(offer: Offer, signal: AbortSignal): Promise<number>
  /** Takes the last offer back. */
  withdraw(signal: AbortSignal): Promise<void>
}

/** Where a capability was last taken. */
interface Place {
  readonly level: number
  readonly holders: readonly string[]
  /** Monotonic ms. */
  readonly until: number
}

/** An ad outlives two missed refreshes. */
const AD_LIFE_S = 120
export const REFRESH_MS = 45_000
/**
 * Holders are looked for anew so often; until then an ad is refreshed where it stands. A lookup takes more messages than
 * the puts, and in five minutes few nodes come closer to a key than its twenty holders.
 */
const LOOKUP_MS = 5 * 60_000
const PUT_TIMEOUT_MS = 3000
const ROUTE_TIMEOUT_MS = 8000
/** Holders are looked for at once when no more than this share of those known takes a refresh. */
const ENOUGH_HOLDERS = 0.75
/** What an ad says that takes another back: its capability is none that is looked for. */
const WITHDRAWN = 'withdrawn'

export function createAdPublisher(components: AdPublisherComponents): AdPublisher {
  const { signer, holder, links, router, clock, logger, addresses } = components
  const places = new Map<string, Place>()
  let seq = 0
  let last: Offer | undefined

  const sign = async (offer: Offer): Promise<SignedAd> => {
    seq = Math.max(Math.floor(clock.now()), seq + 1)
    const issuedAt = Math.floor(clock.now() / 1000)
    const places = addresses().slice(0, 4)
    const ad: CapabilityAd = {
      version: 1,
      node: signer.nodeId,
      seq,
      ...offer,
      ...(places.length > 0 ? { addresses: places } : {}),
      issuedAt,
      expiresAt: issuedAt + AD_LIFE_S,
    }
    const { jws } = await signDocument(ad, DOCUMENT_TYPES.ad, signer)
    return { ad, jws }
  }

  /** The closest peers, or the last that answered when peers that hang hold up the end of the lookup. */
  const closest = async (key: Uint8Array, outer: AbortSignal): Promise<readonly string[]> => {
    const found: string[] = []
    const near: string[] = []
    try {
      await withDeadline(clock, { signal: outer, deadlineMs: ROUTE_TIMEOUT_MS }, async signal => {
        for await (const { peer, kind } of router.find(key, { signal })) {
          if (peer !== signer.nodeId) (kind === 'closest' ? found : near).push(peer)
          if (found.length >= HOLDERS) break
        }
      })
    } catch (error) {
      outer.throwIfAborted()
      logger.debug({ answered: near.length, reason: String(error) }, 'a lookup of holders did not end')
    }
    return found.length > 0 ? found : near.slice(-HOLDERS)
  }

  const putAt = async (
    peer: string,
    capability: string,
    level: number,
    jws: string,
    signal: AbortSignal,
  ): Promise<PutVerdict | undefined> => {
    try {
      const channel = await withDeadline(clock, { signal, deadlineMs: PUT_TIMEOUT_MS }, within =>
        links.channel(peer, { signal: within }),
      )
      const body = { capability, level, ad: jws }
      for await (const { verdict } of ask(channel, AD_METHODS.put, body, PutAnswerSchema, PUT_TIMEOUT_MS))
        return verdict
    } catch (error) {
      signal.throwIfAborted()
      logger.debug({ peer, capability, reason: String(error) }, 'a holder did not take an ad')
    }
    return undefined
  }

  const putAtAll = async (
    capability: string,
    { level, holders }: Pick<Place, 'level' | 'holders'>,
    signed: SignedAd,
    signal: AbortSignal,
  ): Promise<{ readonly stored: number; readonly full: number }> => {
    holder.put(capability, level, signed)
    const verdicts = await Promise.all(holders.map(peer => putAt(peer, capability, level, signed.jws, signal)))
    const count = (verdict: PutVerdict): number => verdicts.filter(each => each === verdict).length
    return { stored: count('stored'), full: count('full') }
  }

  /** Puts one capability where it stands, or else where it belongs: a level deeper while most holders are full. */
  const place = async (capability: string, signed: SignedAd, signal: AbortSignal): Promise<number> => {
    const known = places.get(capability)
    // This node may be one of them. In a network of fewer all others are holders, and a lookup takes few messages.
    if (known && known.holders.length >= HOLDERS - 1 && clock.monotonic() < known.until) {
      const { stored } = await putAtAll(capability, known, signed, signal)
      if (stored > HOLDERS * ENOUGH_HOLDERS) return stored
    }
    // From one level up: what left may have made room there, and searches end at a level that is not full.
    for (let level = Math.max(0, (known?.level ?? 0) - 1); ; level++) {
      const holders = await closest(toAdKey(capability, shardOf(signer.nodeId, level)), signal)
      const { stored, full } = await putAtAll(capability, { level, holders }, signed, signal)
      if (full > stored && level < MAX_LEVEL) continue
      places.set(capability, { level, holders, until: clock.monotonic() + LOOKUP_MS })
      return stored
    }
  }

  const publish = async (offer: Offer, signed: SignedAd, signal: AbortSignal): Promise<number> => {
    setMaxListeners(0, signal) // one for each holder
    const taken = await Promise.all(offer.capabilities.map(capability => place(capability, signed, signal)))
    return taken.reduce((sum, count) => sum + count, 0)
  }

  return {
    async publish(offer, signal) {
      last = offer
      return publish(offer, await sign(offer), signal)
    },
    async withdraw(signal) {
      if (!last) return
      const offer = last
      last = undefined
      await publish(offer, await sign({ ...offer, capabilities: [WITHDRAWN] }), signal)
    },
  }
}
