import { z } from 'zod'
import { TagSchema } from './card.ts'
import { MAX_AD_CAPABILITIES } from './limits.ts'
import { NodeIdSchema } from './member.ts'

/**
 * The small signed pointer that a node leaves with the holders of a capability in networks too large for everyone to
 * know everyone. What is rich or private is asked of the node itself.
 */
export interface CapabilityAd {
  readonly version: 1
  readonly node: string
  /** Grows with every ad of this node; an older one is ignored. */
  readonly seq: number
  /** Canonical tags, such as `skill:arithmetic` or `model:modelnet/geography`; found by exact match only. */
  readonly capabilities: readonly string[]
  /** Multiaddrs ending in `/p2p/<node>`. */
  readonly addresses?: readonly string[]
  /** Coarse, so that it stays true for the life of the ad: 0 idle to 4 full. */
  readonly load: number
  readonly region?: string
  readonly domain?: string
  /** Seconds since the epoch; the life is at most `MAX_AD_LIFE_S`. */
  readonly issuedAt: number
  readonly expiresAt: number
}

const label = z.string().min(1).max(64)

export const CapabilityAdSchema: z.ZodType<CapabilityAd> = z.looseObject({
  version: z.literal(1),
  node: NodeIdSchema,
  seq: z.int().positive(),
  capabilities: z.array(TagSchema).min(1).max(MAX_AD_CAPABILITIES),
  addresses: z.array(z.string().min(1).max(256)).min(1).max(4).exactOptional(),
  load: z.int().min(0).max(4),
  region: label.exactOptional(),
  domain: label.exactOptional(),
  issuedAt: z.int().positive(),
  expiresAt: z.int().positive(),
}) as z.ZodType<CapabilityAd> // loose: fields of newer versions are kept, as the signature covers them
