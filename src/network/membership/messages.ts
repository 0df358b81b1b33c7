import { z } from 'zod'
import {
  MAX_CARD_BYTES,
  MAX_CARDS_PER_NODE,
  MAX_GOSSIPED_MEMBERS,
  MAX_MEMBER_BYTES,
  type NodeStatus,
  NodeStatusSchema,
} from '../../protocol/index.ts'

/** Methods of membership on the channel of a pair of nodes. */
export const METHODS = {
  /** A heartbeat: carries a fingerprint of the view and, now and then, the status. Answered by the same. */
  ping: 'member/ping',
  /** Compares views; answered by the records the caller lacks and the nodes the answerer lacks. */
  sync: 'member/sync',
  /** Hands over records; answered by nothing. */
  push: 'member/push',
  /** Asks for cards by digest; answered by those there are, one part each. */
  cards: 'member/cards',
  /** The load of the sender has changed; answered by nothing. */
  status: 'member/status',
  /** The sender goes, in good order; answered by nothing. */
  leave: 'member/leave',
} as const

export interface PingBody {
  readonly view: number
  readonly status?: NodeStatus
}

const node = z.string().min(1).max(128)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const record = z.string().min(1).max(MAX_MEMBER_BYTES)
/** A view holds members that have left, too. */
const MAX_SUMMARY = 2 * MAX_GOSSIPED_MEMBERS

export const PingSchema: z.ZodType<PingBody> = z.object({
  view: z.int().min(0),
  status: NodeStatusSchema.exactOptional(),
})
export const SyncSchema: z.ZodType<{ readonly have: (readonly [string, number])[] }> = z.object({
  have: z.array(z.tuple([node, z.int().min(0)])).max(MAX_SUMMARY),
})
export const SyncAnswerSchema: z.ZodType<{ readonly records: string[]; readonly want: string[] }> = z.object({
  records: z.array(record).max(MAX_SUMMARY),
  want: z.array(node).max(MAX_SUMMARY),
})
export const PushSchema: z.ZodType<{ readonly records: string[] }> = z.object({
  records: z.array(record).max(MAX_SUMMARY),
})
export const CardsSchema: z.ZodType<{ readonly digests: string[] }> = z.object({
  digests: z.array(digest).min(1).max(MAX_CARDS_PER_NODE),
})
export const CardAnswerSchema: z.ZodType<{ readonly card: string }> = z.object({
  card: z.string().min(1).max(MAX_CARD_BYTES),
})
export const StatusSchema: z.ZodType<{ readonly status: NodeStatus }> = z.object({ status: NodeStatusSchema })
