import { MAX_GOSSIPED_MEMBERS, type ModelCard, type NodeStatus } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Directory, DirectoryEntry, DirectoryEvent } from '../directory.ts'
import { discovered, type Liveness, renewed, type Step, type Transition } from './liveness.ts'
import { isNewer, type SignedMember } from './member-view.ts'

/** A card with the signed form that is handed on to those who lack it. */
export interface SignedCard {
  readonly card: ModelCard
  readonly jws: string
}

/** One node other than this one. */
export interface Member {
  readonly node: string
  /** Absent while a linked peer has not yet told who it is. */
  readonly signed?: SignedMember
  readonly liveness: Liveness
  /** Verified cards by digest. */
  readonly cards: ReadonlyMap<string, SignedCard>
  readonly status?: NodeStatus
}

export interface RosterOptions {
  /** @default MAX_GOSSIPED_MEMBERS */
  readonly capacity?: number
  /** The domain an operator has signed a node into. @default none is known */
  readonly domainOf?: (node: string) => string | undefined
}

/** Members that are gone are remembered and looked for this long: what comes back after a long cut is found again. */
const FORGET_AFTER_MS = 60 * 60 * 1000
/** The node of the greater id leaves the other so long to dial. */
const YIELD_MS = 700
/** A member heard of but never reached makes room for others after so long. */
const UNREACHED_MS = 60 * 1000

/** What this node knows of the others, changed only through here, and told to listeners. Bounded. */
export class Roster implements Directory {
  readonly #members = new Map<string, Member>()
  readonly #listeners = new Set<(event: DirectoryEvent) => void>()
  readonly #clock: Clock
  readonly #capacity: number
  readonly #self: () => DirectoryEntry
  readonly #domainOf: (node: string) => string | undefined
  /** Grows with every record taken in or dropped. */
  version = 0

  constructor(clock: Clock, self: () => DirectoryEntry, options: RosterOptions = {}) {
    const { capacity = MAX_GOSSIPED_MEMBERS, domainOf = () => undefined } = options
    this.#clock = clock
    this.#self = self
    this.#capacity = capacity
    this.#domainOf = domainOf
  }

  entries(): readonly DirectoryEntry[] {
    const nowS = this.#clock.now() / 1000
    return [this.#self(), ...[...this.#members.values()].map(member => this.#toEntry(member, nowS))]
  }

  entry(nodeId: string): DirectoryEntry | undefined {
    const self = this.#self()
    if (nodeId === self.nodeId) return self
    const member = this.#members.get(nodeId)
    return member && this.#toEntry(member, this.#clock.now() / 1000)
  }

  onChange(listener: (event: DirectoryEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(event: DirectoryEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  get(node: string): Member | undefined {
    return this.#members.get(node)
  }

  members(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** Records that others may still want, this node's own not among them. */
  records(): readonly SignedMember[] {
    const nowS = this.#clock.now() / 1000
    return this.members().flatMap(({ signed }) => (signed && signed.record.expiresAt > nowS ? [signed] : []))
  }

  /** Takes in a record that has been verified; `full` when there is no room for another member. */
  accept(incoming: SignedMember): 'fresh' | 'stale' | 'full' {
    const { node } = incoming.record
    const known = this.#members.get(node)
    if (known?.signed && !isNewer(incoming, known.signed)) return 'stale'
    if (!this.meet(node)) return 'full'
    const now = this.#clock.monotonic()
    const dialAt = now + this.#yieldMs(node)
    const liveness = known ? renewed(known.liveness, dialAt) : discovered(now, dialAt)
    this.#members.set(node, { ...known, node, cards: keepCards(known?.cards, incoming), signed: incoming, liveness })
    this.version++
    this.#tell(node, 'updated')
    return 'fresh'
  }

  /** A peer has a link: it is known from now on, even before its record comes. False when there is no room for it. */
  meet(node: string): boolean {
    if (this.#members.has(node)) return true
    if (this.#members.size >= this.#capacity) this.#makeRoom()
    if (this.#members.size >= this.#capacity) return false
    this.#members.set(node, { node, cards: new Map(), liveness: discovered(this.#clock.monotonic()) })
    return true
  }

  /** Changes the liveness of one member and tells what happened to it. */
  step(node: string, change: (liveness: Liveness) => Step): Step | undefined {
    const member = this.#members.get(node)
    if (!member) return undefined
    const step = change(member.liveness)
    if (step.liveness !== member.liveness) this.#members.set(node, { ...member, liveness: step.liveness })
    if (step.transition) this.#tell(node, step.transition)
    return step
  }

  /** Keeps a card that the member's current record names. */
  keepCard(node: string, digest: string, card: SignedCard): void {
    const member = this.#members.get(node)
    if (!member?.signed?.record.cards?.includes(digest) || member.cards.has(digest)) return
    this.#members.set(node, { ...member, cards: new Map([...member.cards, [digest, card]]) })
    this.#tell(node, 'updated')
  }

  /** Forgets a member, as if it had left. */
  remove(node: string): void {
    const wasJoined = this.#members.get(node)?.liveness.joined
    this.#drop(node)
    if (wasJoined) this.emit({ type: 'node-leave', nodeId: node })
  }

  /** Forgets the load of a node: after a new link it may be another life of it, whose numbering starts anew. */
  dropStatus(node: string): void {
    const member = this.#members.get(node)
    if (!member) return
    const { status: _, ...rest } = member
    this.#members.set(node, rest)
  }

  keepStatus(node: string, status: NodeStatus): void {
    const member = this.#members.get(node)
    if (!member || (member.status && member.status.seq >= status.seq)) return
    this.#members.set(node, { ...member, status })
    this.#tell(node, 'updated')
  }

  /** Drops who is gone for good. */
  forget(): void {
    const now = this.#clock.monotonic()
    for (const { node, liveness, signed } of this.members()) {
      const downMs = now - (liveness.downSince ?? now)
      if (!liveness.heartbeats && (!signed || downMs > FORGET_AFTER_MS)) this.#drop(node)
    }
  }

  /**
   * When two nodes hear of each other at the same time, one of them dials: a handshake costs some 20 ms of processor on
   * each side, and a network that forms makes one for each pair.
   */
  #yieldMs(node: string): number {
    return this.#self().nodeId < node ? 0 : YIELD_MS
  }

  #toEntry(member: Member, nowS: number): DirectoryEntry {
    const domain = this.#domainOf(member.node) ?? member.signed?.record.domain
    return { ...toEntry(member, nowS), ...(domain === undefined ? {} : { domain }) }
  }

  #makeRoom(): void {
    const now = this.#clock.monotonic()
    const [oldest] = this.members()
      .filter(({ liveness: { heartbeats, state, joined, downSince = now } }) => {
        if (heartbeats) return false
        return state === 'left' || (!joined && now - downSince > UNREACHED_MS)
      })
      .toSorted((a, b) => (a.liveness.downSince ?? now) - (b.liveness.downSince ?? now))
    if (oldest) this.#drop(oldest.node)
  }

  #drop(node: string): void {
    this.#members.delete(node)
    this.version++
  }

  #tell(nodeId: string, what: Transition | 'updated'): void {
    if (what === 'updated' && !this.#members.get(nodeId)?.liveness.joined) return
    this.emit({ type: EVENTS[what], nodeId })
  }
}

const EVENTS = {
  joined: 'node-join',
  recovered: 'node-update',
  updated: 'node-update',
  suspected: 'node-suspect',
  left: 'node-leave',
} as const

function toEntry(member: Member, nowS: number): DirectoryEntry {
  const { node, signed, liveness, cards, status } = member
  return {
    nodeId: node,
    state: liveness.state,
    addresses: signed?.record.addresses ?? [],
    cards: [...cards.values()].map(({ card }) => card).filter(card => card.expiresAt > nowS),
    ...(status ? { status } : {}),
    ...(liveness.rttMs === undefined ? {} : { rttMs: liveness.rttMs }),
    self: false,
  }
}

/** The cards that the newer record still names. */
function keepCards(
  cards: ReadonlyMap<string, SignedCard> | undefined,
  incoming: SignedMember,
): Map<string, SignedCard> {
  const named = new Set(incoming.record.cards ?? [])
  return new Map([...(cards ?? [])].filter(([digest]) => named.has(digest)))
}
