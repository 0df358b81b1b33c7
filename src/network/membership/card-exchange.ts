import { DOCUMENT_TYPES, type ModelCard, type Signer, signDocument, type Verifier } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { CallHandlers } from '../channel.ts'
import { ask, read } from '../exchange.ts'
import type { PeerLinks } from '../peer-links.ts'
import { TokenBuckets } from '../token-bucket.ts'
import { CardAnswerSchema, CardsSchema, METHODS } from './messages.ts'
import type { Member, Roster, SignedCard } from './roster.ts'

export interface CardExchangeComponents {
  readonly roster: Roster
  readonly links: PeerLinks
  readonly verifier: Verifier
  readonly signer: Signer
  readonly clock: Clock
  readonly logger: Logger
}

export interface CardExchange {
  readonly handlers: CallHandlers
  /** This node's own cards by digest, signed. */
  own(): ReadonlyMap<string, SignedCard>
  /** Signs the cards this node offers from now on. Throws INVALID_REQUEST for a card of another node. */
  offer(cards: readonly ModelCard[]): Promise<void>
  /** Fetches the cards that a member's record names and we lack, from it or from `holder`. Never rejects. */
  fetch(node: string, holder?: string): Promise<void>
}

/** Cards one peer may ask of us: all of a large network when it joins, then what changes. */
const REQUESTS = { burst: 2000, perSecond: 50 }
/** All cards of one member: 256 of the usual 1.2 kB fit. */
const MAX_CARD_BYTES_PER_MEMBER = 512 * 1024
const RETRY_MS = 2000

/** Cards travel by digest: whoever has one can give it, and nobody can give a wrong one. */
export function createCardExchange(components: CardExchangeComponents): CardExchange {
  const { roster, links, verifier, signer, clock, logger } = components
  const requests = new TokenBuckets(clock, REQUESTS)
  const fetching = new Set<string>()
  const failedAt = new Map<string, number>()
  let offered: ReadonlyMap<string, SignedCard> = new Map()

  const find = (digest: string): SignedCard | undefined => {
    const own = offered.get(digest)
    if (own) return own
    for (const { cards } of roster.members()) {
      const found = cards.get(digest)
      if (found) return found
    }
    return undefined
  }

  const missing = (member: Member | undefined): readonly string[] =>
    (member?.signed?.record.cards ?? []).filter(digest => !member?.cards.has(digest))

  const take = async (node: string, wanted: ReadonlySet<string>, jws: string): Promise<void> => {
    const { document: card, digest } = await verifier.verifyCard(jws)
    if (card.node !== node || !wanted.has(digest))
      throw new ModelNetError(
        'PROTOCOL_ERROR',
        `expected a card of ${node} that was asked for, got ${digest} of ${card.node}`,
      )
    const held = [...(roster.get(node)?.cards.values() ?? [])].reduce((sum, each) => sum + each.jws.length, jws.length)
    if (held > MAX_CARD_BYTES_PER_MEMBER)
      throw new ModelNetError(
        'PAYLOAD_TOO_LARGE',
        `the cards of ${node} take more than ${MAX_CARD_BYTES_PER_MEMBER} bytes`,
      )
    roster.keepCard(node, digest, { card, jws })
  }

  const fetchFrom = async (node: string, source: string, digests: readonly string[]): Promise<void> => {
    const channel = links.current(source)
    if (!channel) return
    const wanted = new Set(digests)
    for await (const { card } of ask(channel, METHODS.cards, { digests }, CardAnswerSchema))
      await take(node, wanted, card)
  }

  return {
    own: () => offered,
    async offer(cards) {
      const signed = await Promise.all(
        cards.map(async (card): Promise<[string, SignedCard]> => {
          if (card.node !== signer.nodeId)
            throw new ModelNetError(
              'INVALID_REQUEST',
              `the card of ${card.id} names the node ${card.node}, not this one`,
            )
          const { digest, jws } = await signDocument(card, DOCUMENT_TYPES.card, signer)
          return [digest, { card, jws }]
        }),
      )
      offered = new Map(signed)
    },
    async fetch(node, holder) {
      const digests = missing(roster.get(node))
      const source = links.current(node) ? node : holder
      for (const known of failedAt.keys()) if (!roster.get(known)) failedAt.delete(known)
      if (digests.length === 0 || source === undefined || fetching.has(node)) return
      if (source === node && clock.monotonic() - (failedAt.get(node) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) return
      fetching.add(node)
      try {
        await fetchFrom(node, source, digests)
      } catch (error) {
        logger.debug({ node, from: source, reason: String(error) }, 'cards were not fetched')
      } finally {
        fetching.delete(node)
      }
      // What the owner did not give is asked for again later; another holder may just not have it yet.
      const left = missing(roster.get(node)).some(digest => digests.includes(digest))
      if (left && source === node) failedAt.set(node, clock.monotonic())
      else failedAt.delete(node)
    },
    handlers: {
      async *[METHODS.cards](body, _call, { peer }) {
        const { digests } = read(CardsSchema, body, METHODS.cards)
        if (!requests.of(peer).take(digests.length))
          throw new ModelNetError('OVERLOADED', `${peer} asks for more than ${REQUESTS.perSecond} cards a second`)
        for (const digest of digests) {
          const found = find(digest)
          if (found) yield { card: found.jws }
        }
      },
    },
  }
}
