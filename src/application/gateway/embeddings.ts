import { z } from 'zod'
import type { NetworkEmbedder } from '../../interaction/index.ts'
import type { Embedding } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { readBody } from './read-body.ts'

/** What `POST /v1/embeddings` asks, read from OpenAI's request body. */
export interface EmbeddingsRequest {
  readonly model: string
  readonly texts: readonly string[]
  /** Vectors as base64 of 32-bit floats, which OpenAI's own client asks for, or as numbers. */
  readonly base64: boolean
}

/** Of one request (OpenAI's own limit). */
const MAX_INPUTS = 2048

const text = z.string().min(1, { error: 'expected a text that is not empty' })
const Body = z.looseObject({
  model: z.string().min(1).max(1000),
  input: z.union([text, z.array(text).min(1).max(MAX_INPUTS)], {
    error: `expected a text that is not empty, or a list of 1 to ${MAX_INPUTS} of them; token ids mean nothing here, as every model has its own`,
  }),
  encoding_format: z.enum(['float', 'base64'], { error: 'expected "float" or "base64"' }).nullish(),
})

/** Throws INVALID_REQUEST with the field and what was expected, UNSUPPORTED for `dimensions`. */
export function readEmbeddingsRequest(body: unknown): EmbeddingsRequest {
  const { model, input, encoding_format: format, dimensions } = readBody(Body, body, 'an embeddings request')
  if (dimensions !== undefined && dimensions !== null)
    throw new ModelNetError('UNSUPPORTED', 'dimensions: not offered; vectors come as long as the model makes them', {
      details: { param: 'dimensions' },
    })
  return { model, texts: typeof input === 'string' ? [input] : input, base64: format === 'base64' }
}

/** The vectors as OpenAI's list of embeddings, with a `modelnet` field that says who made them. */
export async function completeEmbeddings(
  { model, texts, base64 }: EmbeddingsRequest,
  embed: NetworkEmbedder,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<object> {
  const { embeddings, promptTokens, ...by } = await embed(model === 'modelnet/auto' ? '*' : model, texts, options)
  return {
    object: 'list',
    data: embeddings.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: base64 ? toBase64(vector) : vector,
    })),
    model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    modelnet: by,
  }
}

/** Little-endian, whatever this machine's order is. */
function toBase64(vector: Embedding): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, at) => {
    bytes.writeFloatLE(value, at * 4)
  })
  return bytes.toString('base64')
}
