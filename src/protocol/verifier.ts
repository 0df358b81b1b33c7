import type { z } from 'zod'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { type CapabilityAd, CapabilityAdSchema } from './ad.ts'
import { type ModelCard, ModelCardSchema } from './card.ts'
import {
  MAX_AD_BYTES,
  MAX_AD_LIFE_S,
  MAX_CARD_BYTES,
  MAX_CARD_LIFE_S,
  MAX_CLOCK_SKEW_S,
  MAX_MEMBER_BYTES,
  MAX_MEMBER_LIFE_S,
} from './limits.ts'
import { type MemberRecord, MemberRecordSchema } from './member.ts'
import { DOCUMENT_TYPES, type DocumentType, type VerifiedDocument, verifyDocument } from './signature.ts'

/** Verifies the documents a node keeps meeting, and remembers which it has verified. */
export interface Verifier {
  /** As `verifyDocument`, and that the signer is the node of the card and that it is valid now. */
  verifyCard(jws: string): Promise<VerifiedDocument<ModelCard>>
  /** The same for a member record. */
  verifyMember(jws: string): Promise<VerifiedDocument<MemberRecord>>
  /** The same for a capability ad. */
  verifyAd(jws: string): Promise<VerifiedDocument<CapabilityAd>>
}

export interface VerifierOptions {
  readonly clock: Clock
  /** Characters of signed text remembered; the document not asked for longest is forgotten first. @default 4 Mi */
  readonly capacity?: number
}

const CAPACITY = 4 * 1024 * 1024

interface NodeDocument {
  readonly node: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** How one kind of document is checked. */
interface Kind<T extends NodeDocument> {
  readonly type: DocumentType
  readonly schema: z.ZodType<T>
  readonly bytes: number
  readonly lifeS: number
  /** What of its node the document is about: of the same thing only the newest is remembered. */
  readonly about: (document: T) => string
}

const MEMBER: Kind<MemberRecord> = {
  type: DOCUMENT_TYPES.member,
  schema: MemberRecordSchema,
  bytes: MAX_MEMBER_BYTES,
  lifeS: MAX_MEMBER_LIFE_S,
  about: () => '',
}
const CARD: Kind<ModelCard> = {
  type: DOCUMENT_TYPES.card,
  schema: ModelCardSchema,
  bytes: MAX_CARD_BYTES,
  lifeS: MAX_CARD_LIFE_S,
  about: ({ id }) => id,
}
const AD: Kind<CapabilityAd> = {
  type: DOCUMENT_TYPES.ad,
  schema: CapabilityAdSchema,
  bytes: MAX_AD_BYTES,
  lifeS: MAX_AD_LIFE_S,
  about: ({ capabilities }) => capabilities.join(' '),
}

/** A signature costs 0.2 ms and the same card comes with every record of its node, so verified documents are kept. */
export function createVerifier({ clock, capacity = CAPACITY }: VerifierOptions): Verifier {
  const verified = new NewestDocuments(capacity)

  const verify = async <T extends NodeDocument>(jws: string, kind: Kind<T>): Promise<VerifiedDocument<T>> => {
    const { type, schema, bytes, lifeS, about } = kind
    // Keyed by the whole JWS, not by its payload's digest: a forged signature over a known payload must not be found.
    const key = `${type} ${jws.length > bytes ? '' : jws}`
    // What is kept under a type was checked with the schema of that type.
    const known = verified.get(key) as VerifiedDocument<T> | undefined
    const found = known ?? (await verifyDocument(jws, type, schema, bytes))
    checkOwner(found, lifeS, clock.now() / 1000)
    verified.keep(key, `${type} ${found.signer} ${about(found.document)}`, found)
    return found
  }

  return {
    verifyCard: jws => verify(jws, CARD),
    verifyMember: jws => verify(jws, MEMBER),
    verifyAd: jws => verify(jws, AD),
  }
}

/** Documents by their text: of each subject the newest, and of all those asked for last, up to so many characters. */
class NewestDocuments {
  readonly #capacity: number
  readonly #kept = new Map<string, { readonly subject: string; readonly found: VerifiedDocument<NodeDocument> }>()
  readonly #keys = new Map<string, string>()
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): VerifiedDocument<NodeDocument> | undefined {
    return this.#kept.get(key)?.found
  }

  keep(key: string, subject: string, found: VerifiedDocument<NodeDocument>): void {
    const before = this.#keys.get(subject)
    const newest = before === undefined ? undefined : this.get(before)
    if (newest && newest.document.issuedAt > found.document.issuedAt) return
    if (before !== undefined) this.#forget(before)
    this.#kept.set(key, { subject, found })
    this.#keys.set(subject, key)
    this.#size += key.length
    for (const oldest of this.#kept.keys()) {
      if (this.#size <= this.#capacity) break
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key)
    if (!kept) return
    this.#kept.delete(key)
    this.#keys.delete(kept.subject)
    this.#size -= key.length
  }
}

function checkOwner({ document, signer }: VerifiedDocument<NodeDocument>, lifeS: number, nowS: number): void {
  const { node, issuedAt, expiresAt } = document
  const refuse = (what: string): ModelNetError => new ModelNetError('INVALID_SIGNATURE', `document of ${node} ${what}`)
  if (node !== signer) throw refuse(`is signed by ${signer}`)
  if (expiresAt <= issuedAt || expiresAt - issuedAt > lifeS)
    throw refuse(`is valid for longer than ${lifeS} s, or never`)
  if (issuedAt > nowS + MAX_CLOCK_SKEW_S) throw refuse('was issued in the future')
  if (expiresAt <= nowS) throw refuse('has expired')
}
