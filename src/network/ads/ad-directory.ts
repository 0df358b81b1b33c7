import type { Clock } from '../../utils/clock.ts'
import { isAbortError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Directory } from '../directory.ts'
import type { Membership } from '../membership/membership.ts'
import type { Offer } from './ad-publisher.ts'
import type { Ads } from './ads.ts'

export interface AdDirectoryComponents {
  readonly ads: Ads
  /** A membership of scope `partners`: it links to whom is found here, and knows cards, load and life of those. */
  readonly partners: Membership
  readonly clock: Clock
  readonly logger: Logger
}

export interface AdDirectoryOptions {
  /** Partners kept for each capability in use. @default 30 */
  readonly partnersPerCapability?: number
  /** Milliseconds between searches for a capability in use. @default 60000 */
  readonly searchMs?: number
}

/**
 * The directory of a network too large to know everyone: it shows the partners found for the capabilities this node
 * uses, and other nodes it happens to be linked to. Requests never wait for a search once a capability is followed.
 */
export interface AdDirectory extends Directory {
  /** Keeps partners for a capability from now on. Resolves after the first search. */
  follow(capability: string): Promise<void>
  /** Ends that; partners stay as long as they are linked. */
  unfollow(capability: string): void
  /** Advertises what this node offers from now on. */
  offer(offer: Offer): Promise<number>
  close(): Promise<void>
}

/** Capabilities followed at once: more would be a node that uses everything. */
const MAX_FOLLOWED = 256
/** Partners that are fewer than this are searched for again soon. */
const FEW = 3
const SOON_MS = 5000

export function createAdDirectory(components: AdDirectoryComponents, options: AdDirectoryOptions = {}): AdDirectory {
  const { ads, partners, clock, logger } = components
  const { partnersPerCapability = 30, searchMs = 60_000 } = options
  const followed = new Map<string, AbortController>()

  const isPartner = (nodeId: string): boolean => partners.entry(nodeId)?.state === 'alive'

  /** Looks for nodes and links to those that are new; the number of nodes found. */
  const search = async (capability: string, signal: AbortSignal): Promise<number> => {
    let found = 0
    for await (const { ad } of ads.find(capability, { limit: partnersPerCapability, signal })) {
      found++
      if (!isPartner(ad.node)) partners.discover(ad.node, ad.addresses ?? [])
    }
    return found
  }

  const keepSearching = async (capability: string, found: number, signal: AbortSignal): Promise<void> => {
    let count = found
    while (!signal.aborted) {
      await clock.sleep(count < FEW ? SOON_MS : searchMs, signal)
      count = await search(capability, signal)
    }
  }

  return {
    entries: () => partners.entries(),
    entry: nodeId => partners.entry(nodeId),
    onChange: listener => partners.onChange(listener),
    offer: offer => ads.offer(offer),
    async follow(capability) {
      if (followed.has(capability)) return
      const [oldest] = followed.keys()
      if (followed.size >= MAX_FOLLOWED && oldest !== undefined) this.unfollow(oldest)
      const stop = new AbortController()
      followed.set(capability, stop)
      const found = await search(capability, stop.signal)
      keepSearching(capability, found, stop.signal).catch(error => {
        if (!isAbortError(error) && !stop.signal.aborted)
          logger.error({ capability, reason: String(error) }, 'a capability is no longer followed')
      })
    },
    unfollow(capability) {
      followed.get(capability)?.abort()
      followed.delete(capability)
    },
    async close() {
      for (const capability of [...followed.keys()]) this.unfollow(capability)
      await ads.close()
      await partners.close()
    },
  }
}
