import { z } from 'zod'
import { ModelIdSchema } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'

/** Methods of deployment on a channel. */
export const DEPLOY_METHODS = {
  /** Asks a node whether it would start a model; answered by a bid. */
  bid: 'deploy/bid',
  /** Asks a node to start a model; answered when it runs. */
  start: 'deploy/start',
  /** Asks a node to see to it that some node runs a model; answered with where. */
  request: 'deploy/request',
} as const

/** Names a model; the weights are those that the asked node knows by this id, and must have this digest. */
export interface DeployBody {
  readonly id: string
  readonly digest: string
}

export interface Bid {
  readonly willing: boolean
  /** It runs there already. */
  readonly running: boolean
  /** The weights are there, or on their way. */
  readonly cached: boolean
  readonly freeBytes: number
  /** Calls running and waiting at all models of the node. */
  readonly load: number
}

export interface Started {
  /** Bytes of weights that came from peers for it. */
  readonly movedBytes: number
}

/** Where a model runs now. */
export interface Deployed extends Started {
  readonly id: string
  readonly node: string
  /** False when it ran there before. */
  readonly started: boolean
}

const bytes = z.int().min(0)

export const DeployBodySchema: z.ZodType<DeployBody> = z.object({
  id: ModelIdSchema,
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})
export const RequestBodySchema: z.ZodType<{ readonly id: string }> = z.object({ id: ModelIdSchema })
export const BidSchema: z.ZodType<Bid> = z.object({
  willing: z.boolean(),
  running: z.boolean(),
  cached: z.boolean(),
  freeBytes: bytes,
  load: z.int().min(0),
})
export const StartedSchema: z.ZodType<Started> = z.object({ movedBytes: bytes })
export const DeployedSchema: z.ZodType<Deployed> = z.object({
  id: ModelIdSchema,
  node: z.string().min(1).max(128),
  movedBytes: bytes,
  started: z.boolean(),
})

/** What came over a channel, checked; throws INVALID_REQUEST for a request, PROTOCOL_ERROR for an answer. */
export function readDeploy<T>(schema: z.ZodType<T>, value: unknown, code: 'INVALID_REQUEST' | 'PROTOCOL_ERROR'): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ModelNetError(code, `deployment: ${issue?.path.join('.') || 'the message'}: ${issue?.message}`)
}
