import { z } from 'zod'
import { TagSchema } from './card.ts'
import { NodeIdSchema } from './member.ts'

/**
 * What one node has seen of models at nodes, as counts of right and wrong answers. Signed by the node it names: the counts
 * are as good as the trust in it, and what it says of its own models counts for nothing.
 */
export interface CapabilityAttestation {
  readonly version: 1
  /** The node whose evidence this is, and who signs. */
  readonly evaluator: string
  readonly records: readonly AttestedRecord[]
  /** Seconds since the epoch. */
  readonly time: number
}

interface AttestedRecord {
  /** `model@node`. */
  readonly model: string
  readonly tag: string
  /** Answers, old ones counting less: not whole numbers. */
  readonly right: number
  readonly wrong: number
  /** Milliseconds since the epoch of the latest evidence. */
  readonly at: number
}

/** Records of one attestation; who knows more sends those with the most evidence. */
export const MAX_ATTESTED_RECORDS = 4096
export const MAX_ATTESTATION_BYTES: number = 2 * 1024 * 1024

const count = z.number().min(0).max(1e9)

export const CapabilityAttestationSchema: z.ZodType<CapabilityAttestation> = z.looseObject({
  version: z.literal(1),
  evaluator: NodeIdSchema,
  records: z
    .array(
      z.looseObject({
        model: z.string().min(3).max(300).regex(/@/),
        tag: TagSchema,
        right: count,
        wrong: count,
        at: z.number().min(0),
      }),
    )
    .max(MAX_ATTESTED_RECORDS),
  time: z.int().positive(),
}) as z.ZodType<CapabilityAttestation> // loose: fields of newer versions are kept, as the signature covers them
