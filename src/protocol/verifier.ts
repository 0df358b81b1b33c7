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
  /** Documents remembered; the one not asked for longest is forgotten first. @default 2048 */
  readonly capacity?: number
}

interface NodeDocument {
  readonly node: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** A signature costs 0.2 ms and the same card comes with every record of its node, so verified documents are kept. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { clock, capacity = 2048 } = options
  // Keyed by the whole JWS, not by its payload's digest: a forged signature over a known payload must not be found here.
  const verified = new Map<string, VerifiedDocument<NodeDocument>>()

  const verify = async <T extends NodeDocument>(
    jws: string,
    type: DocumentType,
    schema: z.ZodType<T>,
    limits: { readonly bytes: number; readonly lifeS: number },
  ): Promise<VerifiedDocument<T>> => {
    const key = `${type} ${jws.length > limits.bytes ? '' : jws}`
    // What is kept under a type was checked with the schema of that type.
    const known = verified.get(key) as VerifiedDocument<T> | undefined
    const found = known ?? (await verifyDocument(jws, type, schema, limits.bytes))
    checkOwner(found, limits.lifeS, clock.now() / 1000)
    verified.delete(key)
    verified.set(key, found)
    const [oldest] = verified.keys()
    if (verified.size > capacity && oldest !== undefined) verified.delete(oldest)
    return found
  }

  return {
    verifyCard: jws =>
      verify(jws, DOCUMENT_TYPES.card, ModelCardSchema, { bytes: MAX_CARD_BYTES, lifeS: MAX_CARD_LIFE_S }),
    verifyMember: jws =>
      verify(jws, DOCUMENT_TYPES.member, MemberRecordSchema, { bytes: MAX_MEMBER_BYTES, lifeS: MAX_MEMBER_LIFE_S }),
    verifyAd: jws => verify(jws, DOCUMENT_TYPES.ad, CapabilityAdSchema, { bytes: MAX_AD_BYTES, lifeS: MAX_AD_LIFE_S }),
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
