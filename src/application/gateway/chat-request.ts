import { z } from 'zod'
import type { ChatMessage } from '../../protocol/index.ts'
import { MAX_MESSAGES, TagSchema } from '../../protocol/index.ts'
import type { Budget, Preference, Task } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { readBody } from './read-body.ts'

/** What a chat completion asks of the network, read from OpenAI's request body. */
export interface ChatRequest {
  readonly model: string
  /** With the id of the answer, where there is one already. */
  readonly task: Omit<Task, 'id'> & { readonly id?: string }
  readonly stream: boolean
  readonly includeUsage: boolean
  /** Report which members work, while they work, in a `modelnet` field of the chunks. */
  readonly events: boolean
}

const textPart = z.object({ type: z.literal('text'), text: z.string() })
const content = z.union([z.string(), z.array(textPart).min(1)], {
  error: 'expected a text, or a list of parts of type "text"',
})

const pathwayText = z.string().min(1).max(10_000)
/** The JSON form; what it says is checked where pathways are read. */
const pathwayTerm = z.record(z.string(), z.unknown()).transform(term => JSON.stringify(term))

const extension = z.strictObject({
  pathway: z
    .union([pathwayText, pathwayTerm.pipe(pathwayText)], { error: 'expected a pathway in its text or its JSON form' })
    .exactOptional(),
  tags: z.array(TagSchema).max(16).exactOptional(),
  events: z.boolean().exactOptional(),
  budget: z
    .strictObject({
      calls: z.int().min(1).exactOptional(),
      tokens: z.int().min(1).exactOptional(),
      cost: z.number().min(0).exactOptional(),
      deadlineMs: z.int().min(1).exactOptional(),
    })
    .exactOptional(),
  preference: z
    .strictObject({
      quality: z.number().min(0).exactOptional(),
      cost: z.number().min(0).exactOptional(),
      latency: z.number().min(0).exactOptional(),
    })
    .exactOptional(),
})

/** OpenAI's fields that change the answer in a way we do not offer are refused, not ignored. */
const refused = ['tools', 'functions', 'audio', 'modalities', 'prediction', 'logit_bias'] as const

const Body = z.looseObject({
  model: z.string().min(1).max(10_000),
  messages: z
    .array(z.object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content }))
    .min(1)
    .max(MAX_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  n: z.literal(1, { error: 'only 1 is offered' }).nullish(),
  logprobs: z.literal(false, { error: 'not offered: an answer may be the work of several models' }).nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
      }),
    ])
    .nullish(),
  modelnet: extension.nullish(),
})

const DEFAULT_PREFERENCE: Preference = { quality: 1, cost: 0, latency: 0.01 }

/** Reads a body; throws INVALID_REQUEST with the field and what was expected. `deadlineMs` caps the request's own. */
export function readChatRequest(body: unknown, limits: { readonly deadlineMs: number }): ChatRequest {
  const data = readBody(Body, body, 'a chat completion request')
  const unsupported = refused.find(name => data[name] !== undefined && data[name] !== null)
  if (unsupported !== undefined)
    throw new ModelNetError('UNSUPPORTED', `${unsupported}: not offered by this gateway`, {
      details: { param: unsupported },
    })
  const maxTokens = data.max_completion_tokens ?? data.max_tokens
  const schema = data.response_format?.type === 'json_schema' ? data.response_format.json_schema.schema : undefined
  const jsonSchema = schema ?? (data.response_format?.type === 'json_object' ? { type: 'object' } : undefined)
  const budget: Budget = data.modelnet?.budget ?? {}
  return {
    model: data.modelnet?.pathway ?? data.model,
    stream: data.stream ?? false,
    includeUsage: data.stream_options?.include_usage ?? false,
    events: data.modelnet?.events ?? false,
    task: {
      messages: data.messages.map(toMessage),
      options: {
        ...(maxTokens != null && { maxTokens }),
        ...(data.temperature != null && { temperature: data.temperature }),
        ...(data.top_p != null && { topP: data.top_p }),
        ...(data.seed != null && { seed: data.seed }),
        ...(data.stop != null && { stop: typeof data.stop === 'string' ? [data.stop] : data.stop }),
        ...(jsonSchema !== undefined && { jsonSchema }),
      },
      budget: { ...budget, deadlineMs: Math.min(budget.deadlineMs ?? limits.deadlineMs, limits.deadlineMs) },
      preference: { ...DEFAULT_PREFERENCE, ...data.modelnet?.preference },
      ...(data.modelnet?.tags !== undefined && { tags: data.modelnet.tags }),
    },
  }
}

function toMessage(message: z.infer<typeof Body>['messages'][number]): ChatMessage {
  const text = typeof message.content === 'string' ? message.content : message.content.map(part => part.text).join('')
  return { role: message.role === 'developer' ? 'system' : message.role, content: text }
}
