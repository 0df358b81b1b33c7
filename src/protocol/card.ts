import { z } from 'zod'
import { MAX_TAGS } from './limits.ts'

/**
 * What a model can be asked for. `generate` is text; `tokens` and `bytes` are decode sessions with top-k token
 * candidates or exact next-byte distributions; `score` is the log-probability of a given text; `embed` is vectors.
 */
export const CAPABILITIES = ['generate', 'tokens', 'bytes', 'score', 'embed'] as const
export type Capability = (typeof CAPABILITIES)[number]

/** A share of right answers as the publisher measured it: a claim, not evidence. */
export interface MeasuredClaim {
  readonly tag: string
  /** Number of questions. */
  readonly n: number
  /** Share answered right, 0..1. */
  readonly accuracy: number
}

/**
 * The description of one model at one node: static facts only, no load. Signed by the node, content-addressed, and
 * expiring. No field is ever empty: an absent fact is an absent field.
 */
export interface ModelCard {
  readonly version: 1
  /** `publisher/name` or `name`, without `@`. */
  readonly id: string
  /** Node id of the node that offers the model. */
  readonly node: string
  readonly description: string
  /** Capability labels such as `skill:arithmetic`, `lang:en`. */
  readonly tags: readonly string[]
  readonly capabilities: readonly Capability[]
  /** Tokens. */
  readonly contextLength: number
  /** What runs it: `llama.cpp`, `llama-server`, `openai-compatible`, … */
  readonly engine: string
  readonly weights?: {
    readonly format: string
    /** `sha256:<hex>` of the file. */
    readonly digest: string
    readonly bytes: number
    readonly parameters?: number
    readonly quantization?: string
    readonly license?: string
  }
  readonly tokenizer?: { readonly kind: string; readonly vocabularySize: number; readonly digest?: string }
  readonly claims?: readonly MeasuredClaim[]
  /** Price in `currency` per million tokens. */
  readonly price?: { readonly currency: string; readonly input: number; readonly output: number }
  /** Calls the model serves at the same time. */
  readonly concurrency?: number
  /** Node ids and signed domains it is for; the node refuses others. Absent: for all. */
  readonly allow?: readonly string[]
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

const text = (max: number): z.ZodString => z.string().min(1).max(max)
const tagPattern = /^[a-z][a-z0-9-]*(:[\p{L}\p{N}._+/-]+)?$/u
const idPattern = /^[\p{L}\p{N}][\p{L}\p{N}._:+/-]*$/u

/**
 * A model with this tag was trained on bare questions: orders, quoted answers and roles mean nothing to it, and what it
 * writes under them is noise. It is asked the question itself instead, and not to judge in prose.
 */
export const BARE_TAG = 'prompt:question'

export const ModelIdSchema: z.ZodType<string> = text(128).regex(idPattern, 'expected a model id such as publisher/name')
export const TagSchema: z.ZodType<string> = text(64).regex(tagPattern, 'expected a tag such as skill:arithmetic')

export const ModelCardSchema: z.ZodType<ModelCard> = z.looseObject({
  version: z.literal(1),
  id: ModelIdSchema,
  node: text(128),
  description: text(1000),
  tags: z.array(TagSchema).min(1).max(MAX_TAGS),
  capabilities: z.array(z.enum(CAPABILITIES)).min(1),
  contextLength: z.int().min(1).max(100_000_000),
  engine: text(64),
  weights: z
    .looseObject({
      format: text(32),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      bytes: z.int().positive(),
      parameters: z.int().positive().exactOptional(),
      quantization: text(32).exactOptional(),
      license: text(64).exactOptional(),
    })
    .exactOptional(),
  tokenizer: z
    .looseObject({ kind: text(32), vocabularySize: z.int().positive(), digest: text(80).exactOptional() })
    .exactOptional(),
  claims: z
    .array(z.looseObject({ tag: TagSchema, n: z.int().positive(), accuracy: z.number().min(0).max(1) }))
    .min(1)
    .max(MAX_TAGS)
    .exactOptional(),
  price: z.looseObject({ currency: text(8), input: z.number().min(0), output: z.number().min(0) }).exactOptional(),
  concurrency: z.int().min(1).max(100_000).exactOptional(),
  allow: z.array(text(128)).min(1).max(MAX_TAGS).exactOptional(),
  issuedAt: z.int().positive(),
  expiresAt: z.int().positive(),
}) as z.ZodType<ModelCard> // loose: fields of newer versions are kept, as the signature covers them
