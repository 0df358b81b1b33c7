import { z } from 'zod'
import { MAX_CARDS_PER_NODE } from './limits.ts'
import { isNodeId } from './node-id.ts'

/**
 * What a node says of itself to all members of a small network: where it is, what it speaks, which models it offers.
 * Signed by the node and passed on by others. No field is ever empty: a node without models has no `cards`.
 */
export interface MemberRecord {
  readonly version: 1
  readonly node: string
  /** Multiaddrs ending in `/p2p/<node>`; absent when nobody can dial it. */
  readonly addresses?: readonly string[]
  /** Digests of its cards, fetched from the node itself. */
  readonly cards?: readonly string[]
  /** Grows with every record of this node; an older one is ignored. */
  readonly seq: number
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Protocols it serves, such as `/modelnet/channel/1`. */
  readonly protocols: readonly string[]
  /** The trust boundary it says it belongs to: one operator's nodes. A claim until the operator signs it. */
  readonly domain?: string
  /** Software and version, for people. */
  readonly agent?: string
  /** The node says goodbye: it is not looked for until a newer record of it comes. */
  readonly leaving?: true
}

export const NodeIdSchema: z.ZodType<string> = z.string().refine(isNodeId, 'expected the peer id of an Ed25519 key')
export const DigestSchema: z.ZodType<string> = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits')

export const MemberRecordSchema: z.ZodType<MemberRecord> = z.looseObject({
  version: z.literal(1),
  node: NodeIdSchema,
  addresses: z.array(z.string().min(1).max(256)).min(1).max(16).exactOptional(),
  cards: z.array(DigestSchema).min(1).max(MAX_CARDS_PER_NODE).exactOptional(),
  seq: z.int().positive(),
  issuedAt: z.int().positive(),
  expiresAt: z.int().positive(),
  protocols: z.array(z.string().min(1).max(64)).min(1).max(32),
  domain: z.string().min(1).max(128).exactOptional(),
  agent: z.string().min(1).max(64).exactOptional(),
  leaving: z.literal(true).exactOptional(),
}) as z.ZodType<MemberRecord> // loose: fields of newer versions are kept, as the signature covers them
