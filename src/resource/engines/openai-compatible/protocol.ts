import { z } from 'zod'
import type { FinishReason, TokenLogprob, Usage } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import { parseJson } from '../../http-client.ts'

/** One chunk of a streamed chat completion, in our words. */
export interface ChatChunk {
  readonly text: string
  /** Hidden reasoning, as vLLM, DeepSeek and llama-server (`reasoning_content`) and OpenRouter (`reasoning`) send it. */
  readonly reasoning: string
  readonly logprobs: readonly TokenLogprob[]
  readonly finish?: FinishReason
  readonly usage?: Usage
}

/** A model as `/models` lists it. */
export interface ListedModel {
  readonly id: string
  readonly ownedBy: string
  /** Tokens, where the server says it. */
  readonly contextLength?: number
}

const text = z.string().nullish()
const logprob = z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.int().min(0).max(255)).nullish() })

const ChunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: text, reasoning_content: text, reasoning: text }).nullish(),
        finish_reason: text,
        logprobs: z
          .object({ content: z.array(logprob.extend({ top_logprobs: z.array(logprob).nullish() })).nullish() })
          .nullish(),
      }),
    )
    .default([]),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
  error: z.unknown().optional(),
})

const ModelsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: text,
      max_model_len: z.int().positive().nullish(),
      context_length: z.int().positive().nullish(),
      meta: z.object({ n_ctx: z.int().positive().nullish() }).nullish(),
    }),
  ),
})

/** Throws PROTOCOL_ERROR for what is no chunk, ENGINE_FAILED for an error in the middle of an answer. */
export function readChatChunk(data: string): ChatChunk {
  const result = ChunkSchema.safeParse(parseJson(data, 'the endpoint'))
  if (!result.success)
    throw new ModelNetError(
      'PROTOCOL_ERROR',
      `the endpoint sent a chunk of another form: ${result.error.issues[0]?.message}`,
    )
  const { choices, usage, error } = result.data
  if (error)
    throw new ModelNetError(
      'ENGINE_FAILED',
      `the endpoint failed in mid-answer: ${JSON.stringify(error).slice(0, 300)}`,
    )
  const [choice] = choices
  const finish = toFinish(choice?.finish_reason)
  return {
    text: choice?.delta?.content ?? '',
    reasoning: choice?.delta?.reasoning_content ?? choice?.delta?.reasoning ?? '',
    logprobs: (choice?.logprobs?.content ?? []).map(entry => ({
      ...toLogprob(entry),
      ...(entry.top_logprobs ? { top: entry.top_logprobs.map(toLogprob) } : {}),
    })),
    ...(finish ? { finish } : {}),
    ...(usage ? { usage: { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } } : {}),
  }
}

/** Throws PROTOCOL_ERROR. */
export function readModelList(value: unknown): readonly ListedModel[] {
  const result = ModelsSchema.safeParse(value)
  if (!result.success) throw new ModelNetError('PROTOCOL_ERROR', '/models did not answer with a list of models')
  return result.data.data.map(model => {
    const contextLength = model.max_model_len ?? model.context_length ?? model.meta?.n_ctx
    return { id: model.id, ownedBy: model.owned_by ?? '', ...(contextLength ? { contextLength } : {}) }
  })
}

const toFinish = (reason: string | null | undefined): FinishReason | undefined =>
  reason ? (reason === 'length' ? 'length' : 'stop') : undefined

const toLogprob = (entry: z.infer<typeof logprob>): { bytes: Uint8Array; logprob: number } => ({
  bytes: entry.bytes ? Uint8Array.from(entry.bytes) : new TextEncoder().encode(entry.token),
  logprob: Math.min(0, entry.logprob),
})
