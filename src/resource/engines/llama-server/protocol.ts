import { z } from 'zod'
import { ModelNetError } from '../../../utils/errors.ts'

/** What we read of llama-server's answers (llama.cpp, tools/server/README.md); other fields mean nothing here. */
export interface ServerProps {
  readonly total_slots: number
  readonly default_generation_settings: { readonly n_ctx: number }
  readonly chat_template?: string | undefined
  readonly chat_template_caps?: { readonly supports_system_role?: boolean | undefined } | undefined
  readonly bos_token?: string | undefined
  readonly eos_token?: string | undefined
}

export interface ServerModels {
  readonly data: readonly {
    readonly id?: string | undefined
    readonly meta?: { readonly n_vocab: number; readonly vocab_type?: number | undefined } | null | undefined
  }[]
}

export interface TokenProbability {
  readonly id: number
  /** The token as bytes; empty for control tokens. `token` is cleaned text and not used. */
  readonly bytes: readonly number[]
  /** Pre-sampling log-softmax, also at temperature 0. Minus infinity arrives as null. */
  readonly logprob: number | null
}

export interface Completion {
  readonly content: string
  readonly stop: boolean
  readonly stop_type?: 'none' | 'eos' | 'limit' | 'word' | undefined
  readonly tokens_predicted?: number | undefined
  readonly completion_probabilities?:
    | readonly (TokenProbability & { readonly top_logprobs: readonly TokenProbability[] })[]
    | undefined
}

const PropsSchema: z.ZodType<ServerProps> = z.object({
  total_slots: z.int().min(1),
  default_generation_settings: z.object({ n_ctx: z.int().min(1) }),
  chat_template: z.string().optional(),
  chat_template_caps: z.object({ supports_system_role: z.boolean().optional() }).optional(),
  bos_token: z.string().optional(),
  eos_token: z.string().optional(),
})

const ModelsSchema: z.ZodType<ServerModels> = z.object({
  data: z
    .array(
      z.object({
        id: z.string().optional(),
        meta: z.object({ n_vocab: z.int().positive(), vocab_type: z.int().optional() }).nullish(),
      }),
    )
    .min(1),
})

const probability = {
  id: z.int().min(0),
  bytes: z.array(z.int().min(0).max(255)),
  logprob: z.number().nullable(),
}

const CompletionSchema: z.ZodType<Completion> = z.object({
  content: z.string(),
  stop: z.boolean(),
  stop_type: z.enum(['none', 'eos', 'limit', 'word']).optional(),
  tokens_predicted: z.int().min(0).optional(),
  completion_probabilities: z
    .array(z.object({ ...probability, top_logprobs: z.array(z.object(probability)) }))
    .optional(),
})

export const readProps: (value: unknown) => ServerProps = reader(PropsSchema, '/props')
export const readModels: (value: unknown) => ServerModels = reader(ModelsSchema, '/v1/models')
export const readPrompt: (value: unknown) => { prompt: string } = reader(
  z.object({ prompt: z.string() }),
  '/apply-template',
)
export const readTokens: (value: unknown) => { tokens: number[] } = reader(
  z.object({ tokens: z.array(z.int().min(0)) }),
  '/tokenize',
)
export const readCompletion: (value: unknown) => Completion = reader(CompletionSchema, '/completion')

function reader<T>(schema: z.ZodType<T>, path: string): (value: unknown) => T {
  return value => {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const [issue] = result.error.issues
    throw new ModelNetError(
      'PROTOCOL_ERROR',
      `${path} did not answer as llama-server does: ${issue?.path.join('.')} ${issue?.message}`,
    )
  }
}
