import type { Verifier } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import { type Random, sample } from '../../utils/random.ts'
import type { CallHandlers } from '../channel.ts'
import { ask, read, tell } from '../exchange.ts'
import type { PeerLinks } from '../peer-links.ts'
import { createTokenBucket, TokenBuckets } from '../token-bucket.ts'
import { compare, fingerprint, type SignedMember, toSummary } from './member-view.ts'
import { METHODS, PushSchema, SyncAnswerSchema, SyncSchema } from './messages.ts'
import type { Roster } from './roster.ts'

export interface GossipComponents {
  readonly roster: Roster
  readonly links: PeerLinks
  readonly verifier: Verifier
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** This node's own record, once it is signed. */
  readonly own: () => SignedMember | undefined
  /** A record was new to us; `from` is the peer it came from. */
  readonly onFresh: (signed: SignedMember, from: string) => void
  /** Somebody has a record of this node with this sequence number, from an earlier life: ours must be newer. */
  readonly onOwn: (seq: number) => void
}

/**
 * `all`: every node shall know every other. `partners`: a node knows those it is linked to, from themselves; who that
 * should be is found in another way (capability ads).
 */
export type GossipScope = 'all' | 'partners'

export interface Gossip {
  readonly handlers: CallHandlers
  /** A number that differs when the view of another node differs. */
  view(): number
  /** Compares views with a linked peer and exchanges what either lacks; again at once over a new link. Never rejects. */
  sync(peer: string, isNewLink?: boolean): Promise<void>
  /** Tells all linked peers this node's own record. Resolves when they have it or do not answer. */
  announce(): Promise<void>
}

/** Records one peer may have us verify: a whole network when it joins, then the changes of a busy one. */
const RECORDS = { burst: 600, perSecond: 20 }
/** Exchanges one peer may start. */
const EXCHANGES = { burst: 40, perSecond: 10 }
const MAX_MESSAGE_BYTES = 512 * 1024
/** Views are compared again with one peer no sooner than this. */
const SYNC_INTERVAL_MS = 1000
/**
 * Comparisons this node starts, with all peers together: a summary of 200 members takes 13 kB, and a change that is on
 * its way makes the views of all pairs differ for a moment.
 */
const SYNCS = { burst: 4, perSecond: 1 }

/**
 * Spreads signed records: pushed on to a few random peers when they are new (as an epidemic: log N peers each reach all
 * of N), and compared pairwise to mend what a push missed.
 */
export function createGossip(components: GossipComponents, scope: () => GossipScope = () => 'all'): Gossip {
  const { roster, links, verifier, clock, random, logger, own, onFresh, onOwn } = components
  const records = new TokenBuckets(clock, RECORDS)
  const exchanges = new TokenBuckets(clock, EXCHANGES)
  const syncs = createTokenBucket(clock, SYNCS)
  const syncedAt = new Map<string, number>()
  /** The fingerprint goes with every heartbeat and changes only with the records: of which it is, and until when. */
  let told: { readonly of: string; readonly untilS: number; readonly value: number } | undefined

  const view = (): Map<string, SignedMember> => {
    const mine = own()
    const others = scope() === 'all' ? roster.records() : []
    return new Map([...others, ...(mine ? [mine] : [])].map(signed => [signed.record.node, signed]))
  }

  const limit = (peer: string): void => {
    if (!exchanges.of(peer).take())
      throw new ModelNetError('OVERLOADED', `${peer} asks for more than ${EXCHANGES.perSecond} exchanges a second`)
  }

  /** Checks records and takes in those that are new; tells others of them. */
  const receive = async (texts: readonly string[], from: string): Promise<void> => {
    const fresh: SignedMember[] = []
    for (const jws of texts) {
      if (isKnown(jws)) continue
      if (!records.of(from).take()) break // what is dropped here comes again when views are compared
      const signed = await verifier.verifyMember(jws).then(
        ({ document: record }) => ({ record, jws }),
        (error: unknown) => void logger.warn({ peer: from, reason: String(error) }, 'a member record is refused'),
      )
      if (!signed) continue
      const mine = own()
      if (signed.record.node === mine?.record.node) {
        if (signed.jws !== mine.jws && signed.record.seq >= mine.record.seq) onOwn(signed.record.seq)
        continue
      }
      if (scope() === 'partners' && (signed.record.node !== from || !roster.get(from))) continue
      const verdict = roster.accept(signed)
      if (verdict === 'fresh') {
        fresh.push(signed)
        onFresh(signed, from)
      } else if (verdict === 'full')
        logger.debug({ peer: from, node: signed.record.node }, 'no room for another member')
    }
    relay(fresh, from)
  }

  /** True when a record at least as new is known, by what the text claims: then it need not be verified. */
  const isKnown = (jws: string): boolean => {
    const claim = readClaim(jws)
    if (!claim) return false
    const mine = own()
    if (claim.node === mine?.record.node) return claim.seq < mine.record.seq || jws === mine.jws
    const known = roster.get(claim.node)?.signed
    return known !== undefined && (known.record.seq > claim.seq || known.jws === jws)
  }

  const relay = (fresh: readonly SignedMember[], from: string): void => {
    if (fresh.length === 0 || scope() === 'partners') return
    const owners = new Set(fresh.map(({ record }) => record.node))
    const others = links.linked().filter(peer => peer !== from && !(owners.size === 1 && owners.has(peer)))
    const count = Math.ceil(Math.log2(others.length + 1)) + 1
    for (const peer of sample(others, count, random)) push(peer, fresh).catch(quietly(peer))
  }

  const push = async (peer: string, signed: readonly SignedMember[]): Promise<void> => {
    const channel = links.current(peer)
    if (!channel || signed.length === 0) return
    for (const records of batches(signed)) await tell(channel, METHODS.push, { records })
  }

  const quietly = (peer: string) => (error: unknown) =>
    logger.debug({ peer, reason: String(error) }, 'an exchange of records failed')

  return {
    view() {
      if (scope() === 'partners') return 0 // they know different things by design: their views are not compared
      const of = `${roster.version} ${own()?.record.seq}`
      if (told?.of === of && clock.now() / 1000 < told.untilS) return told.value
      const members = [...view().values()]
      const untilS = Math.min(...members.map(({ record }) => record.expiresAt))
      told = { of, untilS, value: fingerprint(members) }
      return told.value
    },
    handlers: {
      async *[METHODS.sync](body, _call, { peer }) {
        limit(peer)
        const { have } = read(SyncSchema, body, METHODS.sync)
        const { send, want: all } = compare(view(), have)
        const want = scope() === 'all' ? all : all.filter(node => node === peer && roster.get(node))
        for (const [index, records] of batches(send).entries()) yield { records, want: index === 0 ? want : [] }
      },
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[METHODS.push](body, _call, { peer }) {
        limit(peer)
        await receive(read(PushSchema, body, METHODS.push).records, peer)
      },
    },
    async sync(peer, isNewLink = false) {
      const channel = links.current(peer)
      const now = clock.monotonic()
      const last = isNewLink ? undefined : syncedAt.get(peer)
      if (!channel || now - (last ?? Number.NEGATIVE_INFINITY) < SYNC_INTERVAL_MS) return
      // Partners say little, and nothing would bring it later.
      if (scope() === 'all' && !syncs.take()) return
      syncedAt.set(peer, now)
      try {
        const body = { have: toSummary(view().values()) }
        const wanted = new Set<string>()
        for await (const answer of ask(channel, METHODS.sync, body, SyncAnswerSchema)) {
          await receive(answer.records, peer)
          for (const node of answer.want) wanted.add(node)
        }
        await push(
          peer,
          [...view().values()].filter(({ record }) => wanted.has(record.node)),
        )
      } catch (error) {
        quietly(peer)(error)
      }
      for (const known of syncedAt.keys()) if (!links.current(known)) syncedAt.delete(known)
    },
    async announce() {
      const mine = own()
      if (!mine) return
      await Promise.allSettled(links.linked().map(peer => push(peer, [mine])))
    },
  }
}

/** Records in messages well below the size of a frame; at least one message. */
function batches(signed: readonly SignedMember[]): readonly string[][] {
  const found: string[][] = [[]]
  let bytes = 0
  for (const { jws } of signed) {
    bytes += jws.length
    if (bytes > MAX_MESSAGE_BYTES) {
      found.push([])
      bytes = jws.length
    }
    found.at(-1)?.push(jws)
  }
  return found
}

/** What a signed record says of itself, unchecked. */
function readClaim(jws: string): { readonly node: string; readonly seq: number } | undefined {
  try {
    const payload = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
    return typeof payload?.node === 'string' && typeof payload.seq === 'number' ? payload : undefined
  } catch {
    return undefined
  }
}
