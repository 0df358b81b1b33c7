import {
  CapabilityAttestationSchema,
  DOCUMENT_TYPES,
  MAX_ATTESTATION_BYTES,
  MAX_ATTESTED_RECORDS,
  type Signer,
  signDocument,
  verifyDocument,
} from '../../protocol/index.ts'
import type { EvidenceMap } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'

export interface AttestationsComponents {
  readonly identity: Signer
  readonly abilities: EvidenceMap
  readonly clock: Clock
}

/** What an attestation was found to be. */
interface ReadAttestation {
  /** Node id of who signed. */
  readonly evaluator: string
  /** Records that count: not those of the evaluator's own models. */
  readonly records: number
}

/** Evidence of this node as a signed document, and that of others taken in. */
export interface Attestations {
  /** A compact JWS over the records with the most evidence. */
  issue(): Promise<string>
  /**
   * Checks the signature and takes the records in: each counts the share `trust` of its answers and at most
   * `maxAnswers`, in place of what this evaluator said before. Throws INVALID_SIGNATURE or PROTOCOL_ERROR.
   */
  accept(jws: string, options?: { readonly trust?: number; readonly maxAnswers?: number }): Promise<ReadAttestation>
}

/** Another's word counts less than a probe of one's own, and never more than so many answers. */
const TRUST = 0.3
const MAX_ANSWERS = 10

export function createAttestations({ identity, abilities, clock }: AttestationsComponents): Attestations {
  return {
    async issue() {
      const records = abilities
        .export()
        .filter(({ model, right, wrong }) => model.includes('@') && right + wrong > 0)
        .sort((a, b) => b.right + b.wrong - (a.right + a.wrong))
        .slice(0, MAX_ATTESTED_RECORDS)
      const time = Math.floor(clock.now() / 1000)
      const document = { version: 1, evaluator: identity.nodeId, records, time }
      return (await signDocument(document, DOCUMENT_TYPES.attestation, identity)).jws
    },
    async accept(jws, { trust = TRUST, maxAnswers = MAX_ANSWERS } = {}) {
      const verified = await verifyDocument(
        jws,
        DOCUMENT_TYPES.attestation,
        CapabilityAttestationSchema,
        MAX_ATTESTATION_BYTES,
      )
      const { evaluator, records } = verified.document
      if (evaluator !== verified.signer)
        throw new ModelNetError('INVALID_SIGNATURE', 'an attestation is signed by the evaluator it names')
      if (evaluator === identity.nodeId) throw new ModelNetError('INVALID_REQUEST', 'this is our own attestation')
      const others = records.filter(({ model }) => !model.endsWith(`@${evaluator}`))
      abilities.import(others, { trust, maxAnswers, from: evaluator })
      return { evaluator, records: others.length }
    },
  }
}
