import type { NodeStatus } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { withDeadline } from '../utils/deadline.ts'
import type { Logger } from '../utils/logger.ts'
import { type AdDirectory, createAdDirectory } from './ads/ad-directory.ts'
import type { Offer } from './ads/ad-publisher.ts'
import type { Ads } from './ads/ads.ts'
import { capabilitiesOf } from './ads/capabilities.ts'
import type { Directory } from './directory.ts'
import type { Membership } from './membership/membership.ts'

export interface NetworkDirectoryComponents {
  readonly membership: Membership
  /** Starts routing and the exchange of ads; called once, when they are needed. */
  readonly startAds: () => Promise<Ads>
  readonly clock: Clock
  readonly logger: Logger
}

export interface NetworkDirectoryOptions {
  /** `auto` begins with gossip and goes over to ads for good when the network is large. @default 'auto' */
  readonly discovery?: 'auto' | 'gossip' | 'ads'
  /** Members above which a network is large. */
  readonly gossipedMembers: number
  readonly domain?: string
}

/** The directory of a network of any size: its reader does not know whether members are gossiped or found through ads. */
export interface NetworkDirectory extends Directory {
  /** How others are found now. */
  readonly mode: 'gossip' | 'ads'
  /** Resolves some moments after the start: before, members may be missing that the network knows. */
  readonly introduced: Promise<void>
  /**
   * Looks for nodes that offer each of these capabilities, if not all members are known anyway. Resolves when one of
   * each is a partner, or was not found in 4 s. Rejects only with the signal's reason.
   */
  seek(capabilities: readonly string[], signal?: AbortSignal): Promise<void>
  /** Stops looking, takes the ads back and leaves: closes the membership where there are ads. */
  close(): Promise<void>
}

/** A request that needs somebody new waits no longer: a search takes 0.2 s, a link and its cards as long again. */
const SEEK_MS = 4000
const CHECK_MS = 1000
/** Members a node keeps when it goes over to ads; it finds others by what they offer. */
const MAX_KEPT = 16
const SETTLE_MS = 5000
const PARTNERS_PER_CAPABILITY = 10
/** With fewer holders the routing table has not filled yet. */
const FEW_HOLDERS = 3
const OFFER_RETRY_MS = { first: 1000, most: 15_000 }
/** Loads are told in ads no sooner again than this. */
const LOAD_MS = 15_000

export function createNetworkDirectory(
  components: NetworkDirectoryComponents,
  options: NetworkDirectoryOptions,
): NetworkDirectory {
  const { membership, startAds, clock, logger } = components
  const { discovery = 'auto', gossipedMembers, domain } = options
  const closing = new AbortController()
  let ads: AdDirectory | undefined
  let begun: Promise<void> | undefined

  const offerOf = (): Offer => {
    const self = membership.entries().find(entry => entry.self)
    return {
      capabilities: capabilitiesOf(self?.cards ?? []),
      load: toLoad(self?.status),
      ...(domain !== undefined && { domain }),
    }
  }

  /** Advertises whenever the offer has changed, and soon again while nobody holds it. */
  const keepOffering = async (directory: AdDirectory): Promise<void> => {
    let told: { readonly offer: Offer; readonly at: number } | undefined
    let wait = OFFER_RETRY_MS.first
    while (!closing.signal.aborted) {
      const offer = offerOf()
      const isNew = told?.offer.capabilities.join() !== offer.capabilities.join()
      const isLater = told?.offer.load !== offer.load && clock.monotonic() - (told?.at ?? 0) > LOAD_MS
      if (offer.capabilities.length > 0 && (isNew || isLater)) {
        const taken = await directory.offer(offer)
        if (taken >= FEW_HOLDERS * offer.capabilities.length) told = { offer, at: clock.monotonic() }
        else wait = Math.min(OFFER_RETRY_MS.most, wait * 2)
      }
      await clock.sleep(told ? CHECK_MS : wait, closing.signal)
    }
  }

  const begin = async (): Promise<void> => {
    logger.info(membership.census(), 'the network is large: nodes are found through capability ads from now on')
    const started = createAdDirectory(
      { ads: await startAds(), partners: membership, clock, logger },
      { partnersPerCapability: PARTNERS_PER_CAPABILITY },
    )
    keepOffering(started).catch(error => {
      if (!closing.signal.aborted) logger.error({ reason: String(error) }, 'this node is no longer advertised')
    })
    await membership.narrow()
    ads = started
    if (discovery === 'auto') thin().catch(() => undefined) // closing
  }

  /** Members are let go only when the others have had the time to go over too: the routing tables fill from them. */
  const thin = async (): Promise<void> => {
    await clock.sleep(SETTLE_MS, closing.signal)
    await membership.thin(Math.min(MAX_KEPT, Math.max(1, Math.floor(gossipedMembers / 8))))
  }

  const isLarge = (): boolean => {
    const { known, linked, usingAds } = membership.census()
    return known > gossipedMembers || usingAds * 2 > linked
  }

  const watch = async (): Promise<void> => {
    while (!closing.signal.aborted && !begun) {
      if (discovery === 'ads' || isLarge()) begun = begin()
      else await clock.sleep(CHECK_MS, closing.signal)
    }
    await begun
  }
  if (discovery !== 'gossip')
    watch().catch(error => {
      if (!closing.signal.aborted) logger.error({ reason: String(error) }, 'cannot go over to capability ads')
    })

  const isOffered = (capability: string): boolean =>
    membership.entries().some(({ state, cards }) => state === 'alive' && capabilitiesOf(cards).includes(capability))

  const find = async (directory: AdDirectory, capability: string, signal: AbortSignal): Promise<void> => {
    const followed = directory.follow(capability)
    if (isOffered(capability)) return void followed.catch(() => undefined) // it is closing
    await Promise.race([followed, aborted(signal)])
    while (!isOffered(capability) && !signal.aborted) await nextChange(signal)
  }

  const nextChange = (signal: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      const done = (): void => {
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const stop = membership.onChange(done)
      signal.addEventListener('abort', done, { once: true })
    })

  return {
    get mode() {
      return ads ? 'ads' : 'gossip'
    },
    introduced: membership.introduced,
    entries: () => membership.entries(),
    entry: nodeId => membership.entry(nodeId),
    onChange: listener => membership.onChange(listener),
    async seek(capabilities, signal) {
      await begun?.catch(() => undefined) // told where it began
      const directory = ads
      if (!directory) return
      await withDeadline(clock, { signal, deadlineMs: SEEK_MS }, within =>
        Promise.all(capabilities.map(capability => find(directory, capability, within))),
      )
      signal?.throwIfAborted()
    },
    async close() {
      closing.abort()
      await begun?.catch(() => undefined) // told where it began
      await ads?.close()
    },
  }
}

/** 0 idle to 4 full, over all models. */
function toLoad(status: NodeStatus | undefined): number {
  const slots = status?.models.reduce((sum, model) => sum + model.slots, 0) ?? 0
  const calls = status?.models.reduce((sum, model) => sum + model.running + model.queued, 0) ?? 0
  return slots === 0 ? 0 : Math.min(4, Math.floor((calls / slots) * 4))
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
