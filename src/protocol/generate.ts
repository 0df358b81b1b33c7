import { z } from 'zod'
import { MAX_EMBEDDING, MAX_MESSAGES, MAX_STEP_BYTES, MAX_TEXTS } from './limits.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/**
 * One question to one model. A last message of role `assistant` is a prefix that the model continues; its text is not
 * repeated in the answer.
 */
export interface GenerateRequest {
  readonly messages: readonly ChatMessage[]
  /** @default what fits the context */
  readonly maxTokens?: number
  /** 0 is greedy. @default 0 */
  readonly temperature?: number
  /** @default 1 */
  readonly topP?: number
  /** @default chosen by the engine */
  readonly seed?: number
  /** Texts that end the answer; they are not part of it. */
  readonly stop?: readonly string[]
  /** Alternatives reported per token, where the engine can. @default 0 */
  readonly topLogprobs?: number
  /** A JSON Schema the answer must satisfy, enforced by the engine where it can. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>
}

export interface TokenLogprob {
  readonly bytes: Uint8Array
  /** Natural log of the untempered, untruncated softmax. */
  readonly logprob: number
  readonly top?: readonly { readonly bytes: Uint8Array; readonly logprob: number }[]
}

export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

export type FinishReason = 'stop' | 'length' | 'cancelled'

/** What streams out of a model: text, hidden reasoning, and one `finish` at the end. */
export type GeneratePart =
  | { readonly type: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: Usage }

export interface ScoreRequest {
  readonly messages: readonly ChatMessage[]
  /** The continuation whose probability is asked for. */
  readonly text: string
}

export interface Score {
  /** Natural log of the probability of the text, given the messages. */
  readonly logprob: number
  readonly tokens: number
  readonly bytes: number
}

export interface EmbedRequest {
  /** None is empty. */
  readonly texts: readonly string[]
}

/** A text as a vector of unit length: the product of two is their cosine. Those of different models do not compare. */
export type Embedding = readonly number[]

export interface EmbedResult {
  /** One per text, in their order, all of one length. */
  readonly embeddings: readonly Embedding[]
  /** Tokens of all texts together. */
  readonly promptTokens: number
}

export const ChatMessageSchema: z.ZodType<ChatMessage> = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
})

const messages = z.array(ChatMessageSchema).min(1).max(MAX_MESSAGES)

export const GenerateRequestSchema: z.ZodType<GenerateRequest> = z.object({
  messages,
  maxTokens: z.int().min(1).max(1_000_000).exactOptional(),
  temperature: z.number().min(0).max(10).exactOptional(),
  topP: z.number().min(0).max(1).exactOptional(),
  seed: z.int().exactOptional(),
  stop: z.array(z.string().min(1).max(256)).max(16).exactOptional(),
  topLogprobs: z.int().min(0).max(100).exactOptional(),
  jsonSchema: z.record(z.string(), z.unknown()).exactOptional(),
})

export const UsageSchema: z.ZodType<Usage> = z.object({
  promptTokens: z.int().min(0),
  completionTokens: z.int().min(0),
})

const bytes = z.custom<Uint8Array>(
  value => value instanceof Uint8Array && value.length <= MAX_STEP_BYTES,
  'expected a byte string',
)
const logprob = z.number().max(1e-3)

export const GeneratePartSchema: z.ZodType<GeneratePart> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('text-delta'),
    text: z.string(),
    logprobs: z
      .array(
        z.object({
          bytes,
          logprob,
          top: z.array(z.object({ bytes, logprob })).exactOptional(),
        }),
      )
      .exactOptional(),
  }),
  z.object({ type: z.literal('reasoning-delta'), text: z.string() }),
  z.object({ type: z.literal('finish'), reason: z.enum(['stop', 'length', 'cancelled']), usage: UsageSchema }),
])

export const ScoreRequestSchema: z.ZodType<ScoreRequest> = z.object({ messages, text: z.string() })

export const ScoreSchema: z.ZodType<Score> = z.object({ logprob, tokens: z.int().min(0), bytes: z.int().min(0) })

export const EmbedRequestSchema: z.ZodType<EmbedRequest> = z.object({
  texts: z.array(z.string().min(1)).min(1).max(MAX_TEXTS),
})

/** What follows the vectors of an `embed` call, each of which is a part of its own: all of them may not fit one frame. */
export const EmbedEndSchema: z.ZodType<{ readonly promptTokens: number }> = z.object({ promptTokens: z.int().min(0) })

export const EmbeddingSchema: z.ZodType<Embedding> = z.array(z.number()).min(1).max(MAX_EMBEDDING)
