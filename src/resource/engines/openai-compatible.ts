import type { GeneratePart, GenerateRequest, ModelCard, TokenLogprob } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { startDeadline } from '../../utils/deadline.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createCard } from '../card.ts'
import { ContinuedSession } from '../decoding/continued-session.ts'
import { createEncoderModel } from '../embedding.ts'
import { createEndpointEmbedder } from '../embeddings-endpoint.ts'
import type { Engine, LoadedModel, ModelSpec } from '../engine.ts'
import type { HttpClient } from '../http-client.ts'
import { createHttpClient } from '../http-client.ts'
import type { CallOptions } from '../language-model.ts'
import type { TextPiece } from '../text-stream.ts'
import { createTextStream } from '../text-stream.ts'
import { enclosed, thinkFirst, thinkingBudget } from '../thinking.ts'
import { continuing, createContinuation } from './openai-compatible/continuation.ts'
import { createPrefixFilter } from './openai-compatible/prefix-filter.ts'
import { probeContinuation } from './openai-compatible/probe.ts'
import type { ChatChunk, ListedModel } from './openai-compatible/protocol.ts'
import { readChatChunk, readModelList } from './openai-compatible/protocol.ts'

export interface OpenAiCompatibleEngineOptions {
  /** @default the system clock */
  readonly clock?: Clock
}

/** When neither the operator nor the endpoint tells the context: small enough for any model of today. */
const UNKNOWN_CONTEXT = 4096
/** Characters of a token, where an endpoint reports no usage: the usual figure for English text. */
const CHARACTERS_PER_TOKEN = 4

/**
 * Models behind any endpoint that speaks OpenAI's chat completions: vLLM, Ollama, LM Studio, a cloud. Needs `url` (the
 * base, usually ending in `/v1`), `remoteModel` where the endpoint has several, `apiKey` where it wants one. Where an
 * endpoint is seen to continue a given text and to report log-probabilities, it takes part in joint decoding.
 */
export function createOpenAiCompatibleEngine(options: OpenAiCompatibleEngineOptions = {}): Engine {
  const { clock = systemClock } = options
  const models = new Set<LoadedModel>()
  return {
    name: 'openai-compatible',
    async load(spec, { node, signal }) {
      const { url, apiKey } = spec
      if (!url) throw new ModelNetError('INVALID_CONFIG', `model ${spec.id}: expected "url", the base of an OpenAI API`)
      const http = createHttpClient({ url, ...(apiKey ? { apiKey } : {}) })
      try {
        const listed = choose(spec, await listModels(http, signal))
        const answers = spec.embed !== 'only'
        const seen = answers ? await probeContinuation(http, listed, clock, signal) : undefined
        const card = createCard(
          spec,
          {
            engine: 'openai-compatible',
            capabilities: [
              ...(answers ? (['generate'] as const) : []),
              ...(seen ? (['tokens'] as const) : []),
              ...(spec.embed ? (['embed'] as const) : []),
            ],
            contextLength: spec.contextLength ?? listed.contextLength ?? UNKNOWN_CONTEXT,
            concurrency: spec.concurrency ?? 4,
            description: `${listed.id} behind an OpenAI-compatible endpoint`.slice(0, 1000),
            tags: ['engine:openai-compatible'],
          },
          node,
          clock,
        )
        const embed = spec.embed && createEndpointEmbedder({ http, path: '/embeddings', model: listed.id, clock })
        let closed = false
        const close = async (): Promise<void> => {
          if (closed) return
          closed = true
          models.delete(model)
          await http.close()
        }
        const model: LoadedModel =
          embed && !answers
            ? createEncoderModel({ card, embed, close })
            : {
                card,
                generate: (request, callOptions) => generate(http, listed, clock, request, callOptions),
                ...(seen && { open: createOpener({ http, listed, clock, card, ...seen }) }),
                ...(embed && { embed }),
                close,
              }
        models.add(model)
        return model
      } catch (error) {
        await http.close()
        throw error
      }
    },
    async close() {
      await Promise.allSettled([...models].map(model => model.close()))
    },
  }
}

type Opener = NonNullable<LoadedModel['open']>

/** Opens decode sessions; a thinking model thinks first, and its thought stands before the joint text in its own context. */
function createOpener(parts: {
  readonly http: HttpClient
  readonly listed: ListedModel
  readonly clock: Clock
  readonly card: ModelCard
  readonly top: number
  readonly thinks: boolean
}): Opener {
  const { http, listed: model, clock, card, top, thinks } = parts
  const think = async (request: GenerateRequest, options: CallOptions): Promise<GenerateRequest['messages']> => {
    const { messages } = request
    if (!thinks || messages.at(-1)?.role === 'assistant') return messages
    const asked = { generate: (...call: Parameters<LoadedModel['generate']>) => generate(http, model, clock, ...call) }
    const thought = await thinkFirst(asked, request, { ...options, maxTokens: thinkingBudget(card.contextLength) })
    return thought ? [...messages, { role: 'assistant', content: enclosed(thought, false) }] : messages
  }
  return async (request, options = {}) => {
    const { distribution = { kind: 'tokens', top }, ...call } = options
    options.signal?.throwIfAborted()
    if (distribution.kind !== 'tokens')
      throw new ModelNetError('UNSUPPORTED', `model ${card.id} offers no distributions of bytes`)
    const messages = await think(request, call)
    const go = createContinuation({ http, model, messages, top: Math.min(top, distribution.top) })
    return new ContinuedSession(go, distribution.top)
  }
}

/** Also tells a wrong key and a dead endpoint at once. Undefined where the endpoint has no list. */
async function listModels(http: HttpClient, signal?: AbortSignal): Promise<readonly ListedModel[] | undefined> {
  try {
    return readModelList(await http.json('/models', undefined, signal))
  } catch (error) {
    if (error instanceof ModelNetError && error.code === 'MODEL_NOT_FOUND') return undefined // 404: no such path
    throw error
  }
}

function choose(spec: ModelSpec, listed: readonly ListedModel[] | undefined): ListedModel {
  const { remoteModel } = spec
  if (remoteModel === undefined) {
    const [only] = listed ?? []
    if (only && listed?.length === 1) return only
    throw new ModelNetError(
      'INVALID_CONFIG',
      `model ${spec.id}: expected "remoteModel", the name of the model at ${spec.url}`,
    )
  }
  // Aliases and new models may be missing from a list, so an unlisted name is tried all the same.
  return listed?.find(model => model.id === remoteModel) ?? { id: remoteModel, ownedBy: listed?.[0]?.ownedBy ?? '' }
}

async function* generate(
  http: HttpClient,
  model: ListedModel,
  clock: Clock,
  request: GenerateRequest,
  options: CallOptions = {},
): AsyncGenerator<GeneratePart> {
  options.signal?.throwIfAborted()
  const deadline = startDeadline(clock, options)
  const last = request.messages.at(-1)
  // Servers that do not continue a prefix in their own way repeat it.
  const prefix = createPrefixFilter(last?.role === 'assistant' ? last.content : '')
  const text = createTextStream({ reasoning: 'start' })
  const logprobs: TokenLogprob[] = []
  let finish: ChatChunk['finish']
  let usage: ChatChunk['usage']
  let characters = 0
  const toParts = (pieces: readonly TextPiece[]): readonly GeneratePart[] =>
    pieces.map(piece => {
      const own = piece.type === 'text-delta' ? logprobs.splice(0) : []
      return own.length > 0 ? { ...piece, type: 'text-delta', logprobs: own } : piece
    })
  try {
    for await (const data of http.events('/chat/completions', toBody(request, model), deadline.signal)) {
      const chunk = readChatChunk(data)
      finish = chunk.finish ?? finish
      usage = chunk.usage ?? usage
      characters += chunk.text.length + chunk.reasoning.length
      if (request.topLogprobs) logprobs.push(...chunk.logprobs)
      if (chunk.reasoning) yield { type: 'reasoning-delta', text: chunk.reasoning }
      yield* toParts(text.push(new TextEncoder().encode(prefix.push(chunk.text))))
    }
    if (finish === undefined)
      throw new ModelNetError('PROTOCOL_ERROR', 'the endpoint ended its answer without a finish_reason')
    yield* toParts([...text.push(new TextEncoder().encode(prefix.end())), ...text.end()])
    yield { type: 'finish', reason: finish, usage: usage ?? estimateUsage(request, characters) }
  } finally {
    deadline.dispose()
  }
}

function toBody(request: GenerateRequest, model: ListedModel): object {
  const { messages, maxTokens, temperature = 0, topP, seed, stop, topLogprobs, jsonSchema } = request
  return {
    model: model.id,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature,
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop && stop.length > 0 ? { stop } : {}),
    ...(topLogprobs ? { logprobs: true, top_logprobs: topLogprobs } : {}),
    ...(jsonSchema
      ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: jsonSchema, strict: true } } }
      : {}),
    ...(messages.at(-1)?.role === 'assistant' ? continuing(model) : {}),
  }
}

function estimateUsage(
  request: GenerateRequest,
  characters: number,
): { promptTokens: number; completionTokens: number } {
  const asked = request.messages.reduce((sum, message) => sum + message.content.length, 0)
  const toTokens = (length: number): number => Math.ceil(length / CHARACTERS_PER_TOKEN)
  return { promptTokens: toTokens(asked), completionTokens: toTokens(characters) }
}
