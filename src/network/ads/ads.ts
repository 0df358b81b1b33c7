import { createVerifier } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Random } from '../../utils/random.ts'
import type { Identity } from '../identity.ts'
import type { PeerLinks } from '../peer-links.ts'
import type { PeerRouter } from '../peer-router.ts'
import { createAdFinder, type FindAds } from './ad-finder.ts'
import { createAdHolder } from './ad-holder.ts'
import { createAdPublisher, type Offer, REFRESH_MS } from './ad-publisher.ts'
import type { AdStoreOptions } from './ad-store.ts'

export interface AdsComponents {
  readonly identity: Identity
  readonly links: PeerLinks
  readonly router: PeerRouter
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly addresses: () => readonly string[]
}

export type AdsOptions = AdStoreOptions

/** Capability ads: how nodes of a network too large to know everyone find who offers what. */
export interface Ads {
  /** Advertises from now on, again and again. Resolves to the number of holders that took it the first time. */
  offer(offer: Offer): Promise<number>
  readonly find: FindAds
  /** Ads held for others. */
  held(): number
  /** Takes the offer back and stops. May be called twice. */
  close(): Promise<void>
}

const WITHDRAW_MS = 3000

export function createAds(components: AdsComponents, options: AdsOptions = {}): Ads {
  const { identity, links, clock, random, logger } = components
  const verifier = createVerifier({ clock })
  const holder = createAdHolder({ verifier, clock, random }, options)
  const publisher = createAdPublisher({ ...components, signer: identity, holder })
  const find = createAdFinder({ ...components, nodeId: identity.nodeId, holder, verifier })
  const unserve = links.serve(holder.handlers)
  const closing = new AbortController()
  let refreshing: Promise<void> | undefined
  let current: Offer | undefined

  const refresh = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      // A tenth at random, so that nodes started together do not refresh together for ever.
      await clock.sleep(REFRESH_MS * (0.95 + random.next() / 10), closing.signal)
      if (current) await publisher.publish(current, closing.signal)
    }
  }

  return {
    find,
    held: holder.size,
    async offer(offer) {
      current = offer
      const taken = await publisher.publish(offer, closing.signal)
      refreshing ??= refresh().catch(error => {
        if (!closing.signal.aborted) logger.error({ reason: String(error) }, 'ads are no longer refreshed')
      })
      return taken
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      await refreshing
      await withDeadline(clock, { deadlineMs: WITHDRAW_MS }, publisher.withdraw).catch(() => undefined) // it expires by itself
      unserve()
    },
  }
}
