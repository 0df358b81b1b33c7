import { z } from 'zod'
import { ModelIdSchema } from './card.ts'

/**
 * Live load of one node, told to its partners: never gossiped to all. Names follow the model-server gauges of the
 * Kubernetes inference extension (queued, running).
 */
export interface NodeStatus {
  /** Grows with every status of this node; an older one is ignored. */
  readonly seq: number
  /** Milliseconds since the epoch at the sender. */
  readonly at: number
  /** True while the node finishes its work and takes no more. */
  readonly draining: boolean
  readonly models: readonly ModelStatus[]
}

export interface ModelStatus {
  readonly id: string
  readonly running: number
  readonly queued: number
  /** Calls it serves at once. */
  readonly slots: number
  /** Measured, moving average; 0 while nothing was measured. */
  readonly tokensPerSecond: number
}

export const NodeStatusSchema: z.ZodType<NodeStatus> = z.object({
  seq: z.int().min(0),
  at: z.number().positive(),
  draining: z.boolean(),
  models: z
    .array(
      z.object({
        id: ModelIdSchema,
        running: z.int().min(0),
        queued: z.int().min(0),
        slots: z.int().min(0),
        tokensPerSecond: z.number().min(0),
      }),
    )
    .max(256),
})
