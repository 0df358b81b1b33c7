import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Clock } from '../../../utils/clock.ts'
import type { Logger } from '../../../utils/logger.ts'
import { type TokenBucket, TokenBuckets } from '../../token-bucket.ts'

export interface GuardOptions {
  /** Peers that may connect, asked after the handshake has proved their id. @default all */
  readonly allow?: (peer: string) => boolean
  /** Streams one peer may open in a second. @default 20, burst 3 times that */
  readonly streamsPerSecond?: number
  /** Frames one peer may send in a second; beyond it is slowed down. @default 20000, burst twice that */
  readonly framesPerSecond?: number
}

/** Decides what one peer may cost this node. */
export interface Guard {
  readonly gater: ConnectionGater
  /** False when the peer opens streams too fast. */
  allowsStream(peer: string): boolean
  frames(peer: string): TokenBucket
  /** Notes that a peer broke the protocol. True when it did so too often: it is then refused for a minute. */
  violated(peer: string): boolean
}

/** Violations forgiven a peer, and how fast they are forgotten: a newer version may err once, an attacker goes on. */
const VIOLATIONS = { burst: 8, perSecond: 1 / 15 }
const BAN_MS = 60_000
const MAX_BANNED = 1024

export function createGuard(components: { clock: Clock; logger: Logger }, options: GuardOptions): Guard {
  const { clock, logger } = components
  const { allow = () => true, streamsPerSecond = 20, framesPerSecond = 20_000 } = options
  const streams = new TokenBuckets(clock, { perSecond: streamsPerSecond, burst: 3 * streamsPerSecond })
  const frames = new TokenBuckets(clock, { perSecond: framesPerSecond, burst: 2 * framesPerSecond })
  const violations = new TokenBuckets(clock, VIOLATIONS)
  const bannedUntil = new Map<string, number>()

  const denied = (peerId: PeerId): boolean => {
    const peer = peerId.toString()
    const until = bannedUntil.get(peer)
    if (until !== undefined && clock.monotonic() < until) return true
    if (until !== undefined) bannedUntil.delete(peer)
    return !allow(peer)
  }

  return {
    gater: {
      denyDialPeer: denied,
      denyInboundEncryptedConnection: denied,
      denyOutboundEncryptedConnection: denied,
    },
    allowsStream: peer => streams.of(peer).take(),
    frames: peer => frames.of(peer),
    violated(peer) {
      if (violations.of(peer).take()) return false
      bannedUntil.delete(peer)
      bannedUntil.set(peer, clock.monotonic() + BAN_MS)
      if (bannedUntil.size > MAX_BANNED) {
        const [oldest] = bannedUntil.keys()
        if (oldest !== undefined) bannedUntil.delete(oldest)
      }
      logger.warn({ peer, seconds: BAN_MS / 1000 }, 'refusing a peer that keeps breaking the protocol')
      return true
    },
  }
}
