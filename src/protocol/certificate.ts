import { z } from 'zod'
import { MAX_REVOKED } from './limits.ts'
import { NodeIdSchema } from './member.ts'

/** An operator's word that a node belongs to its domain. Signed by the operator's key; shown to every partner. */
export interface MembershipCertificate {
  readonly version: 1
  /** The node that is admitted. */
  readonly node: string
  /** Node id of the operator's key, which signs. */
  readonly operator: string
  /** The trust boundary: device, edge, cloud, partner, or any name the operator gives. */
  readonly domain: string
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export const MembershipCertificateSchema: z.ZodType<MembershipCertificate> = z.looseObject({
  version: z.literal(1),
  node: NodeIdSchema,
  operator: NodeIdSchema,
  domain: z.string().min(1).max(128),
  issuedAt: z.int().positive(),
  expiresAt: z.int().positive(),
}) as z.ZodType<MembershipCertificate> // loose: fields of newer versions are kept, as the signature covers them

/** An operator's word that certificates of its own count no more. Of several lists the one of the highest `seq` counts. */
export interface RevocationList {
  readonly version: 1
  /** Node id of the operator's key, which signs. */
  readonly operator: string
  readonly seq: number
  /** Nodes, each with the time (seconds since the epoch) up to which certificates issued for it are taken back. */
  readonly revoked: readonly { readonly node: string; readonly until: number }[]
}

export const RevocationListSchema: z.ZodType<RevocationList> = z.looseObject({
  version: z.literal(1),
  operator: NodeIdSchema,
  seq: z.int().positive(),
  revoked: z.array(z.looseObject({ node: NodeIdSchema, until: z.int().positive() })).max(MAX_REVOKED),
}) as z.ZodType<RevocationList>
