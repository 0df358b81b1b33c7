import { z } from 'zod'
import { EmbeddingSchema } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError } from '../utils/errors.ts'
import { checkTexts, type Embedder, toUnitLength } from './embedding.ts'
import type { HttpClient } from './http-client.ts'

/** Characters of a token, where an endpoint reports no usage: the usual figure for English text. */
const CHARACTERS_PER_TOKEN = 4

const AnswerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: EmbeddingSchema })),
  usage: z.object({ prompt_tokens: z.int().min(0) }).nullish(),
})

/** Embeddings by a server that has OpenAI's `POST /embeddings`; all texts of a call travel together. */
export function createEndpointEmbedder(parts: {
  readonly http: HttpClient
  /** `/embeddings` below the base of an OpenAI API. */
  readonly path: string
  /** Name of the model at the server. */
  readonly model: string
  readonly clock: Clock
}): Embedder {
  const { http, path, model, clock } = parts
  return async (request, call = {}) => {
    call.signal?.throwIfAborted()
    checkTexts(request)
    const { texts } = request
    const deadline = startDeadline(clock, call)
    try {
      const body = { model, input: texts, encoding_format: 'float' }
      const answer = AnswerSchema.safeParse(await http.json(path, body, deadline.signal))
      if (!answer.success)
        throw new ModelNetError('PROTOCOL_ERROR', `${path} did not answer with embeddings: ${reasonOf(answer.error)}`)
      const { data, usage } = answer.data
      const embeddings = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => toUnitLength(embedding))
      const width = embeddings[0]?.length
      if (embeddings.length !== texts.length || embeddings.some(({ length }) => length !== width))
        throw new ModelNetError(
          'PROTOCOL_ERROR',
          `${path} gave ${data.length} embeddings of ${texts.length} texts, or some of another length`,
        )
      return { embeddings, promptTokens: usage?.prompt_tokens ?? estimateTokens(texts) }
    } finally {
      deadline.dispose()
    }
  }
}

const estimateTokens = (texts: readonly string[]): number =>
  texts.reduce((sum, { length }) => sum + Math.ceil(length / CHARACTERS_PER_TOKEN), 0)

const reasonOf = ({ issues: [issue] }: z.ZodError): string => `${issue?.path.join('.')} ${issue?.message}`
