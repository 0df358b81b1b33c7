import { z } from 'zod'
import { ModelIdSchema, TagSchema } from './card.ts'
import { DigestSchema, NodeIdSchema } from './member.ts'

/**
 * What one node measured of another's model at one tag: signed by the evaluator, so evidence is only as good as the
 * trust in it. The question set is committed to by digest, so that others can ask the same questions.
 */
export interface ProbeReport {
  readonly version: 1
  /** Node that asked and graded. */
  readonly evaluator: string
  /** Node and model that answered, and the digest of the card it was offered under. */
  readonly node: string
  readonly model: string
  readonly card: string
  readonly tag: string
  /** Digest of the questions, their right answers, the grader's name and the seed, in canonical JSON. */
  readonly questions: string
  readonly grader: string
  readonly seed: number
  /** Questions asked, and share answered right. */
  readonly n: number
  readonly accuracy: number
  /** Bounds of the 95 % Wilson interval of the accuracy. */
  readonly interval: readonly [low: number, high: number]
  /** Seconds since the epoch when the last answer was graded. */
  readonly time: number
}

const share = z.number().min(0).max(1)

export const ProbeReportSchema: z.ZodType<ProbeReport> = z
  .looseObject({
    version: z.literal(1),
    evaluator: NodeIdSchema,
    node: NodeIdSchema,
    model: ModelIdSchema,
    card: DigestSchema,
    tag: TagSchema,
    questions: DigestSchema,
    grader: z.string().min(1).max(64),
    seed: z.int().min(0),
    n: z.int().positive(),
    accuracy: share,
    interval: z.tuple([share, share]),
    time: z.int().positive(),
  })
  .refine(
    ({ accuracy, interval: [low, high] }) => low <= accuracy && accuracy <= high,
    'expected an interval around the accuracy',
  ) as z.ZodType<ProbeReport> // loose: fields of newer versions are kept, as the signature covers them
