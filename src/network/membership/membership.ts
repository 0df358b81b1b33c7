import {
  ADS_PROTOCOL,
  createVerifier,
  type ModelCard,
  type ModelStatus,
  type NodeStatus,
  PROTOCOLS,
} from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Logger } from '../../utils/logger.ts'
import { type Random, sample } from '../../utils/random.ts'
import type { Directory, DirectoryEntry } from '../directory.ts'
import type { Identity } from '../identity.ts'
import type { Network } from '../network.ts'
import type { PeerBook } from '../peer-book.ts'
import type { LinkEvent, PeerLinks } from '../peer-links.ts'
import { createCardExchange } from './card-exchange.ts'
import { createDialler } from './dialler.ts'
import { createGossip, type GossipScope } from './gossip.ts'
import { createHeartbeats } from './heartbeats.ts'
import { startIntroduction } from './introduction.ts'
import { linkDown, linkUp, tick as passTime } from './liveness.ts'
import { createOwnRecord } from './own-record.ts'
import { keepPeerBook } from './peer-book-keeper.ts'
import { Roster } from './roster.ts'

export interface MembershipComponents {
  readonly network: Network
  readonly links: PeerLinks
  readonly identity: Identity
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Peers remembered over restarts. @default none */
  readonly peerBook?: PeerBook
}

export interface MembershipOptions {
  /** Addresses of nodes to begin with, tried for as long as they are not linked. @default none */
  readonly bootstrap?: readonly string[]
  /** Cards of the models this node offers. @default none */
  readonly cards?: readonly ModelCard[]
  /** Whom to know: all, told by gossip, or only `partners`, linked to this node (`createAdDirectory`). @default 'all' */
  readonly scope?: GossipScope
  /** The trust boundary this node says it belongs to. */
  readonly domain?: string
  /** Software and version, for people. */
  readonly agent?: string
  /** Milliseconds between heartbeats; longer beyond 25 members. @default 500 */
  readonly heartbeatMs?: number
  /** Milliseconds of silence forgiven before a member is suspected; a lost connection is seen at once. @default 1000 */
  readonly pauseMs?: number
  /** Milliseconds after which a suspected member counts as left. @default 5000 */
  readonly leaveAfterMs?: number
  /** Milliseconds after the start in which `discover` may tell of others; the introduction is as long. @default 0 */
  readonly discoverMs?: number
}

export interface Census {
  /** Members that have not left, this node among them. */
  readonly known: number
  readonly linked: number
  readonly usingAds: number
}

/** The load of this node; the numbering is added. */
export interface OwnStatus {
  readonly draining?: boolean
  readonly models: readonly ModelStatus[]
}

/**
 * The directory of a small network: every node knows every other and holds a channel to it. Records and cards are
 * gossiped, signed; status goes to partners only; whether a node lives is judged by one's own link to it.
 */
export interface Membership extends Directory {
  /** Replaces the cards this node offers. Resolves when they are signed; linked peers learn of them at once. */
  announce(cards: readonly ModelCard[]): Promise<void>
  /** Tells partners the load of this node, at most every 100 ms. */
  setStatus(status: OwnStatus): void
  /** Says that this node takes no new work, now. */
  drain(): void
  /** How many members are known and linked, and how many of these say that they find others through ads. */
  census(): Census
  /** From now on takes in partners only, as with the scope `partners`. Resolves when linked peers have been told. */
  narrow(): Promise<void>
  /** Keeps so many of the members that are linked, drawn at random, forgets the others and hangs up. */
  thin(kept: number): Promise<void>
  /** A node was found at these addresses, for instance on the local network. */
  discover(nodeId: string, addresses: readonly string[]): void
  /** Resolves when every address known at the start has been tried, after 2 s at most. */
  readonly ready: Promise<void>
  /** Resolves when those found at the start, and whom they know, have said what they offer; 2 s after that at most. */
  readonly introduced: Promise<void>
  /** Says goodbye and stops. The links stay open. May be called twice. */
  close(): Promise<void>
}

const TICK_MS = 100
/** A tick later than this means that this node itself stood still. */
const STALL_MS = 400
const STATUS_DEBOUNCE_MS = 100
const GOODBYE_MS = 500

/** Starts taking part. The network must have been started. */
export async function createMembership(
  components: MembershipComponents,
  options: MembershipOptions = {},
): Promise<Membership> {
  const { network, links, identity, clock, random, logger, peerBook } = components
  const { bootstrap = [], cards = [], heartbeatMs = 500, pauseMs = 1000, leaveAfterMs = 5000, discoverMs = 0 } = options
  const closing = new AbortController()
  const verifier = createVerifier({ clock })
  let status: NodeStatus | undefined
  let draining = false
  let telling = false
  let { scope = 'all' } = options

  const self = (): DirectoryEntry => ({
    nodeId: identity.nodeId,
    state: 'alive',
    // read by few of those who list the members at every request, and gathered by libp2p each time
    get addresses() {
      return network.addresses()
    },
    cards: [...cardExchange.own().values()].map(({ card }) => card),
    ...(status ? { status } : {}),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
    rttMs: 0,
    self: true,
  })
  const roster = new Roster(clock, self, { domainOf: links.domain })
  const shared = { nodeId: identity.nodeId, roster, links, network, verifier, clock, random, logger }
  const cardExchange = createCardExchange({ ...shared, signer: identity })
  const ownRecord = createOwnRecord(
    {
      identity,
      clock,
      addresses: () => network.addresses(),
      cards: () => [...cardExchange.own().keys()],
      protocols: () => (scope === 'partners' ? [...PROTOCOLS, ADS_PROTOCOL] : PROTOCOLS),
    },
    options,
  )
  const gossip = createGossip(
    {
      ...shared,
      own: ownRecord.current,
      onFresh: ({ record }, from) => {
        void cardExchange.fetch(record.node, from)
        dialler.tick()
      },
      onOwn: seq => void ownRecord.exceed(seq).then(gossip.announce).catch(report('cannot renew the own record')),
    },
    () => scope,
  )
  const heartbeats = createHeartbeats(
    { ...shared, status: () => status, view: gossip.view, onOtherView: peer => void gossip.sync(peer) },
    heartbeatMs,
  )
  const dialler = createDialler(shared)
  const book = peerBook && keepPeerBook({ roster, clock, peerBook })
  const report = (what: string) => (error: unknown) => logger.warn({ reason: String(error) }, what)

  const onLink = ({ type, peer }: LinkEvent): void => {
    const now = clock.monotonic()
    if (type === 'link-down') roster.step(peer, liveness => linkDown(liveness, now))
    // Many are linked to for routing, ads or a call: only who was looked for becomes a partner, and costs heartbeats.
    else if (scope === 'partners' && !roster.get(peer) && !dialler.wants(peer)) return
    else if (roster.meet(peer)) {
      roster.dropStatus(peer)
      roster.step(peer, liveness => linkUp(liveness, now))
      heartbeats.tellStatus(peer)
      void gossip.sync(peer, true)
    } else logger.warn({ peer }, 'the membership is full: this peer is not taken in')
  }

  const tickMembers = (stalledMs: number): void => {
    const now = clock.monotonic()
    const times = { leaveAfterMs, heartbeatMs: heartbeats.intervalMs(), pauseMs }
    for (const { node, signed, cards } of roster.members()) {
      const step = roster.step(node, liveness => passTime(liveness, now, stalledMs, times))
      if (!step?.liveness.heartbeats) continue
      // It holds a connection and says nothing: a new connection will show whether it lives.
      if (step.transition === 'left') network.disconnect(node).catch(report('a silent peer is not disconnected'))
      else if (!signed)
        void gossip.sync(node) // an exchange may fail, and who is linked is to say who it is
      else if (signed.record.cards?.some(digest => !cards.has(digest))) void cardExchange.fetch(node)
    }
    roster.forget()
  }

  const live = async (): Promise<void> => {
    let last = clock.monotonic()
    while (!closing.signal.aborted) {
      await clock.sleep(TICK_MS, closing.signal)
      const lateMs = clock.monotonic() - last - TICK_MS
      last = clock.monotonic()
      tickMembers(lateMs > STALL_MS ? lateMs : 0)
      heartbeats.tick()
      dialler.tick()
      if (await ownRecord.renew()) void gossip.announce()
      await book?.tick()
    }
  }

  const hint = async (): Promise<void> => {
    for (const address of bootstrap) dialler.bootstrap(address)
    for (const { peer, addresses } of (await peerBook?.load()) ?? []) dialler.hint(peer, addresses)
  }

  await cardExchange.offer(cards)
  await ownRecord.renew()
  const unserve = links.serve({ ...gossip.handlers, ...cardExchange.handlers, ...heartbeats.handlers })
  const unlisten = links.onLink(onLink)
  for (const peer of links.linked()) onLink({ type: 'link-up', peer })
  const introduction = startIntroduction({ ...shared, dialler }, { hinted: hint(), discoverMs, signal: closing.signal })
  const living = live().catch(error => {
    if (!closing.signal.aborted) logger.error({ reason: String(error) }, 'membership has stopped')
  })

  const flushStatus = async (): Promise<void> => {
    if (telling) return
    telling = true
    try {
      // Larger networks are told less often, so that the messages of one node stay bounded.
      await clock.sleep(Math.max(STATUS_DEBOUNCE_MS, links.linked().length * 10), closing.signal)
      heartbeats.tellStatus()
    } finally {
      telling = false
    }
  }

  const setStatus = (next: OwnStatus): void => {
    const at = Math.floor(clock.now())
    draining ||= next.draining === true
    status = { seq: Math.max(at, (status?.seq ?? 0) + 1), at, draining, models: next.models }
    roster.emit({ type: 'node-update', nodeId: identity.nodeId })
  }

  return {
    entries: () => roster.entries(),
    entry: nodeId => roster.entry(nodeId),
    onChange: listener => roster.onChange(listener),
    ready: introduction.tried,
    introduced: introduction.over,
    async announce(offered) {
      await cardExchange.offer(offered)
      await ownRecord.renew(true)
      roster.emit({ type: 'node-update', nodeId: identity.nodeId })
      void gossip.announce()
    },
    setStatus(next) {
      setStatus(next)
      flushStatus().catch(() => undefined) // closing
    },
    drain() {
      setStatus({ draining: true, models: status?.models ?? [] })
      heartbeats.tellStatus()
    },
    census() {
      const linked = roster.members().filter(({ liveness }) => liveness.heartbeats)
      return {
        known: 1 + roster.members().filter(({ liveness }) => liveness.state !== 'left').length,
        linked: linked.length,
        usingAds: linked.filter(({ signed }) => signed?.record.protocols.includes(ADS_PROTOCOL)).length,
      }
    },
    async narrow() {
      scope = 'partners'
      await ownRecord.renew(true)
      await gossip.announce()
    },
    async thin(kept) {
      const linked = roster.members().filter(({ liveness }) => liveness.heartbeats)
      const partners = new Set(sample(linked, kept, random))
      for (const member of roster.members().filter(each => !partners.has(each))) {
        roster.remove(member.node)
        await network.disconnect(member.node)
      }
    },
    discover(nodeId, addresses) {
      dialler.hint(nodeId, addresses)
      if (links.current(nodeId) && !roster.get(nodeId)) onLink({ type: 'link-up', peer: nodeId })
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      unlisten()
      const said = new AbortController()
      const late = clock.sleep(GOODBYE_MS, said.signal).catch(() => undefined) // said in time
      await Promise.race([heartbeats.sayGoodbye(), late])
      said.abort()
      unserve()
      await living
      await book?.save()
    },
  }
}
