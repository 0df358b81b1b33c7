import { DOCUMENT_TYPES, type MemberRecord, signDocument } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Identity } from '../identity.ts'
import type { SignedMember } from './member-view.ts'

export interface OwnRecordComponents {
  readonly identity: Identity
  readonly clock: Clock
  readonly addresses: () => readonly string[]
  /** Digests of the cards offered. */
  readonly cards: () => readonly string[]
  readonly protocols: () => readonly string[]
}

/** What this node says of itself, signed again when it changes and before it expires. */
export interface OwnRecord {
  readonly current: () => SignedMember | undefined
  /** Signs a new record if one is needed, or in any case; tells whether it did. */
  renew(always?: boolean): Promise<boolean>
  /** Signs a record newer than one of an earlier life of this node. */
  exceed(seq: number): Promise<void>
}

/** A node that died is forgotten by all after this. Clocks may differ by 5 minutes, so it is longer than that. */
const LIFE_S = 15 * 60
const RENEW_S = 4 * 60
const MAX_ADDRESSES = 16
const MAX_ADDRESS_LENGTH = 256

export function createOwnRecord(
  components: OwnRecordComponents,
  options: { readonly domain?: string; readonly agent?: string },
): OwnRecord {
  const { identity, clock } = components
  const { domain, agent } = options
  let current: SignedMember | undefined
  let lastSeq = 0

  const addresses = (): readonly string[] =>
    components
      .addresses()
      .filter(address => address.length <= MAX_ADDRESS_LENGTH)
      .slice(0, MAX_ADDRESSES)

  const sign = async (): Promise<void> => {
    const now = clock.now()
    // From the clock, so that a restarted node is newer than its earlier life without having kept anything.
    const seq = Math.max(Math.floor(now), lastSeq + 1)
    lastSeq = seq
    const [places, cards, issuedAt] = [addresses(), components.cards(), Math.floor(now / 1000)]
    const record: MemberRecord = {
      version: 1,
      node: identity.nodeId,
      seq,
      issuedAt,
      expiresAt: issuedAt + LIFE_S,
      protocols: components.protocols(),
      ...(places.length > 0 ? { addresses: places } : {}),
      ...(cards.length > 0 ? { cards } : {}),
      ...(domain === undefined ? {} : { domain }),
      ...(agent === undefined ? {} : { agent }),
    }
    const { jws } = await signDocument(record, DOCUMENT_TYPES.member, identity)
    if (seq === lastSeq) current = { record, jws }
  }

  const isDue = (): boolean => {
    if (!current) return true
    const { issuedAt, addresses: told = [] } = current.record
    return clock.now() / 1000 - issuedAt > RENEW_S || told.join() !== addresses().join()
  }

  return {
    current: () => current,
    async renew(always = false) {
      if (!always && !isDue()) return false
      await sign()
      return true
    },
    async exceed(seq) {
      if (seq >= Number.MAX_SAFE_INTEGER) return
      lastSeq = Math.max(lastSeq, seq)
      await sign()
    },
  }
}
