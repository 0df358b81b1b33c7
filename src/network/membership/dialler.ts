import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Random } from '../../utils/random.ts'
import type { Network } from '../network.ts'
import type { PeerLinks } from '../peer-links.ts'
import { dialFailed, MAX_RETRY_MS } from './liveness.ts'
import type { Roster } from './roster.ts'

export interface DiallerComponents {
  readonly roster: Roster
  readonly links: PeerLinks
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Keeps this node linked: to every member it knows, and to a network at all. */
export interface Dialler {
  /** An address to try for ever: a bootstrap address. */
  bootstrap(address: string): void
  /** Where a node may be, from the peer book or the local network; tried a few times. */
  hint(peer: string, addresses: readonly string[]): void
  /** It is looked for, or was found at a bootstrap address. */
  wants(peer: string): boolean
  /** Starts the dials that are due. */
  tick(): void
  /** Resolves when each address known now has been tried once. */
  tried(): Promise<void>
}

interface Lead {
  /** Node id, once it is known. */
  peer?: string
  readonly reach: () => Promise<string>
  /** Attempts after which it is given up. */
  readonly most: number
  attempts: number
  at: number
}

/** On a starved machine few handshakes at once finish; many at once all time out, and begin again. */
const MAX_DIALS_AT_ONCE = 4
const MAX_HINTS = 512
const HINT_ATTEMPTS = 6
const FIRST_RETRY_MS = 250
/** Bootstrap addresses that do not answer are tried so often while others do. */
const LINKED_RETRY_MS = 15_000
/** A dial and the handshake, on a network that is slow. */
const DIAL_TIMEOUT_MS = 6000

export function createDialler(components: DiallerComponents): Dialler {
  const { roster, links, network, clock, random, logger } = components
  const leads = new Map<string, Lead>()
  const running = new Map<string, Promise<void>>()

  const isLinked = (peer: string | undefined): boolean => peer !== undefined && links.current(peer) !== undefined

  const run = (key: string, dial: () => Promise<void>): void => {
    running.set(
      key,
      dial().finally(() => running.delete(key)),
    )
  }

  const open = async (peer: string): Promise<void> => {
    await withDeadline(clock, { deadlineMs: DIAL_TIMEOUT_MS }, signal => links.channel(peer, { signal }))
  }

  const follow = async (key: string, lead: Lead): Promise<void> => {
    try {
      const peer = await lead.reach()
      lead.peer = peer
      if (peer === network.nodeId) return void leads.delete(key) // our own address in a list that all nodes share
      await open(peer)
      lead.attempts = 0
      lead.at = clock.monotonic() + FIRST_RETRY_MS
    } catch (error) {
      if (lead.attempts === 0) logger.info({ address: key, reason: String(error) }, 'cannot reach a node; trying on')
      lead.attempts++
      if (lead.attempts >= lead.most) leads.delete(key)
      const most = links.linked().length > 0 ? LINKED_RETRY_MS : MAX_RETRY_MS
      const wait = Math.min(most, FIRST_RETRY_MS * 2 ** Math.min(lead.attempts, 10))
      lead.at = clock.monotonic() + wait * (0.5 + random.next() / 2)
    }
  }

  const redial = async (node: string, addresses: readonly string[], down: number): Promise<void> => {
    try {
      network.learn(node, addresses)
      await open(node)
    } catch (error) {
      logger.debug({ node, reason: String(error) }, 'a member is not reached')
      const now = clock.monotonic()
      roster.step(node, liveness => ({ liveness: dialFailed(liveness, now, random.next(), down) }))
    }
  }

  return {
    bootstrap(address) {
      const reach = (): Promise<string> =>
        withDeadline(clock, { deadlineMs: DIAL_TIMEOUT_MS }, signal => network.dial(address, { signal }))
      leads.set(address, { reach, most: Number.POSITIVE_INFINITY, attempts: 0, at: clock.monotonic() })
    },
    hint(peer, addresses) {
      if (peer === network.nodeId || leads.has(peer) || roster.get(peer) || leads.size >= MAX_HINTS) return
      const reach = async (): Promise<string> => {
        network.learn(peer, addresses)
        return peer
      }
      leads.set(peer, { peer, reach, most: HINT_ATTEMPTS, attempts: 0, at: clock.monotonic() })
    },
    wants: peer => [...leads.values()].some(lead => lead.peer === peer),
    tick() {
      const now = clock.monotonic()
      for (const [key, lead] of leads) {
        if (isLinked(lead.peer) || running.has(key) || lead.at > now || running.size >= MAX_DIALS_AT_ONCE) continue
        if (lead.peer !== undefined && lead.most < Number.POSITIVE_INFINITY && roster.get(lead.peer)) leads.delete(key)
        else run(key, () => follow(key, lead))
      }
      const down = roster.members().filter(({ liveness }) => !liveness.heartbeats)
      for (const { node, liveness, signed } of down) {
        const addresses = signed?.record.addresses
        if (!addresses || liveness.dialAt > now || running.has(node) || running.size >= MAX_DIALS_AT_ONCE) continue
        run(node, () => redial(node, addresses, down.length))
      }
    },
    async tried() {
      this.tick()
      await Promise.all(running.values())
    },
  }
}
