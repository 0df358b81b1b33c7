import type { NodeStatus } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { CallHandlers } from '../channel.ts'
import { ask, read, tell } from '../exchange.ts'
import type { PeerLinks } from '../peer-links.ts'
import { TokenBuckets } from '../token-bucket.ts'
import { goodbye, heard } from './liveness.ts'
import { METHODS, type PingBody, PingSchema, StatusSchema } from './messages.ts'
import type { Roster } from './roster.ts'

export interface HeartbeatsComponents {
  /** Of this node: the lower id of a pair goes on where two pings crossed. */
  readonly nodeId: string
  readonly roster: Roster
  readonly links: PeerLinks
  readonly clock: Clock
  readonly logger: Logger
  /** The load of this node, once it is known. */
  readonly status: () => NodeStatus | undefined
  /** Fingerprint of what this node knows of the members. */
  readonly view: () => number
  /** A peer knows something else than this node. */
  readonly onOtherView: (peer: string) => void
}

export interface Heartbeats {
  readonly handlers: CallHandlers
  /** Pings the linked members that are due. */
  tick(): void
  /** Tells linked peers the load of this node now, or one of them. */
  tellStatus(peer?: string): void
  /** Tells linked peers that this node goes. Resolves when they know or do not answer. */
  sayGoodbye(): Promise<void>
  /** Milliseconds between pings of a pair: longer in larger networks, so that a node's own are 50 a second at most. */
  intervalMs(): number
}

/** When a node last pinged a peer, had its answer, and was pinged by it. Monotonic ms; minus infinity: never. */
export interface Turns {
  readonly pingedAt: number
  readonly answeredAt: number
  readonly heardAt: number
}

/** A status is repeated so often even if nothing changed: the receiver may have missed one. */
const STATUS_INTERVAL_MS = 2000
/** Messages one peer may send: its pings, answers to status changes, and some to spare. */
const MESSAGES = { burst: 100, perSecond: 40 }
/** Milliseconds of the interval for each partner. A node sends every second ping of a pair, so 50 a second. */
const PING_COST_MS = 10
const NEVER = Number.NEGATIVE_INFINITY
export const NO_TURNS: Turns = { pingedAt: NEVER, answeredAt: NEVER, heardAt: NEVER }

/**
 * A ping and its answer tell both sides that the other lives, its load and its view, so a pair takes turns: who was
 * pinged pings next. Should it not, the other does after half an interval more; and where two pings crossed, the one
 * with the lower id (`isFirst`) goes on.
 */
export function nextPingAt({ pingedAt, answeredAt, heardAt }: Turns, intervalMs: number, isFirst: boolean): number {
  if (pingedAt === NEVER) return NEVER // the round trip is not known yet
  const crossed = heardAt >= pingedAt && (answeredAt < pingedAt || answeredAt >= heardAt)
  const isOurs = crossed ? isFirst : heardAt > pingedAt
  return Math.max(pingedAt, answeredAt, heardAt) + intervalMs * (isOurs ? 1 : 1.5)
}

/** What partners tell each other all the time: that they live, how loaded they are, and whether they know the same. */
export function createHeartbeats(components: HeartbeatsComponents, heartbeatMs: number): Heartbeats {
  const { nodeId, roster, links, clock, logger, status, view, onOtherView } = components
  const messages = new TokenBuckets(clock, MESSAGES)
  const pinging = new Set<string>()
  const turns = new Map<string, Turns>()
  const toldAt = new Map<string, number>()

  const limit = (peer: string): void => {
    if (!messages.of(peer).take()) throw new ModelNetError('OVERLOADED', `${peer} sends more than is served`)
  }

  const body = (peer: string): PingBody => {
    const now = clock.monotonic()
    const load = status()
    if (!load || now - (toldAt.get(peer) ?? NEVER) < STATUS_INTERVAL_MS) return { view: view() }
    toldAt.set(peer, now)
    return { view: view(), status: load }
  }

  const took = (peer: string, turn: Partial<Turns>): void => {
    turns.set(peer, { ...(turns.get(peer) ?? NO_TURNS), ...turn })
  }

  const ping = async (peer: string): Promise<void> => {
    const channel = links.current(peer)
    if (!channel || pinging.has(peer)) return
    pinging.add(peer)
    const start = clock.monotonic()
    took(peer, { pingedAt: start })
    try {
      for await (const answer of ask(channel, METHODS.ping, body(peer), PingSchema)) {
        const now = clock.monotonic()
        took(peer, { answeredAt: now })
        roster.step(peer, liveness => heard(liveness, now, now - start))
        if (answer.status) roster.keepStatus(peer, answer.status)
        if (answer.view !== view()) onOtherView(peer)
      }
    } catch (error) {
      logger.debug({ peer, reason: String(error) }, 'a ping was not answered')
    } finally {
      pinging.delete(peer)
    }
  }

  /** Of the linked peers those that are members: others are linked to for an exchange of ads, a card or a call. */
  const partners = (): readonly string[] => links.linked().filter(peer => roster.get(peer))

  const intervalMs = (): number => Math.max(heartbeatMs, partners().length * PING_COST_MS)

  const send = async (peer: string): Promise<void> => {
    const channel = links.current(peer)
    const load = status()
    if (!channel || !load) return
    toldAt.set(peer, clock.monotonic())
    await tell(channel, METHODS.status, { status: load })
  }

  const quietly = (peer: string) => (error: unknown) =>
    logger.debug({ peer, reason: String(error) }, 'a peer was not told')

  return {
    intervalMs,
    handlers: {
      async *[METHODS.ping](message, _call, { peer }) {
        limit(peer)
        const { status: load, view: itsView } = read(PingSchema, message, METHODS.ping)
        const now = clock.monotonic()
        took(peer, { heardAt: now })
        roster.step(peer, liveness => heard(liveness, now))
        if (load) roster.keepStatus(peer, load)
        yield body(peer)
        if (itsView !== view()) onOtherView(peer)
      },
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[METHODS.status](message, _call, { peer }) {
        limit(peer)
        roster.keepStatus(peer, read(StatusSchema, message, METHODS.status).status)
      },
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[METHODS.leave](_message, _call, { peer }) {
        limit(peer)
        roster.step(peer, goodbye)
      },
    },
    tick() {
      const now = clock.monotonic()
      const due = intervalMs()
      for (const peer of partners())
        if (now >= nextPingAt(turns.get(peer) ?? NO_TURNS, due, nodeId < peer)) void ping(peer)
      for (const peer of [...turns.keys(), ...toldAt.keys()]) {
        if (links.current(peer)) continue
        turns.delete(peer)
        toldAt.delete(peer)
      }
    },
    tellStatus(only) {
      // Who was told before asks for it with its pings.
      const peers = links.linked().filter(peer => roster.get(peer) || toldAt.has(peer))
      for (const peer of only === undefined ? peers : [only]) send(peer).catch(quietly(peer))
    },
    async sayGoodbye() {
      await Promise.allSettled(
        links.linked().map(async peer => {
          const channel = links.current(peer)
          if (channel) await tell(channel, METHODS.leave, {})
        }),
      )
    },
  }
}
