import type { GeneratePart, GenerateRequest, ModelCard, TokenLogprob } from '../../../protocol/index.ts'
import type { Clock } from '../../../utils/clock.ts'
import { startDeadline } from '../../../utils/deadline.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import { CUT, cutControls } from '../../control-cut.ts'
import type { TokenModel } from '../../decoding/token-model.ts'
import { createTokenSession } from '../../decoding/token-session.ts'
import type { Embedder } from '../../embedding.ts'
import type { LoadedModel } from '../../engine.ts'
import type { HttpClient } from '../../http-client.ts'
import { parseJson } from '../../http-client.ts'
import type { CallOptions } from '../../language-model.ts'
import type { TextPiece } from '../../text-stream.ts'
import { createTextStream } from '../../text-stream.ts'
import { enclosed, thinkFirst, thinkingBudget } from '../../thinking.ts'
import type { Completion } from './protocol.ts'
import { readCompletion, readPrompt, readTokens } from './protocol.ts'
import { createServerSlots } from './slots.ts'
import { createServerTokenModel } from './token-model.ts'

export interface LlamaServerModelParts {
  readonly card: ModelCard
  readonly http: HttpClient
  readonly clock: Clock
  readonly slotCount: number
  readonly vocabularySize?: number
  readonly controls: readonly string[]
  readonly endTokens: ReadonlySet<number>
  readonly supportsSystem: boolean
  readonly thinks: boolean
  /** Where the server makes embeddings too. */
  readonly embed?: Embedder
  readonly onClose: () => void
}

interface Prompt {
  readonly tokens: readonly number[]
  /** It ends with the mark that opens hidden reasoning. */
  readonly opened: boolean
}

/** A model of a llama-server as a `LanguageModel`: its raw completion endpoint, with prompts as token ids. */
export function createLlamaServerModel(parts: LlamaServerModelParts): LoadedModel {
  const { card, http, clock, slotCount, controls, endTokens, vocabularySize } = parts
  const slots = createServerSlots(slotCount)
  let tokenModel: Promise<TokenModel> | undefined
  let closed = false

  const tokenize = async (content: string, first: boolean, signal?: AbortSignal): Promise<readonly number[]> =>
    readTokens(await http.json('/tokenize', { content, add_special: first, parse_special: true }, signal)).tokens

  const toPrompt = async (messages: GenerateRequest['messages'], signal: AbortSignal): Promise<Prompt> => {
    if (closed) throw new ModelNetError('ENGINE_FAILED', `model ${card.id} was unloaded`)
    const last = messages.at(-1)
    const prefix = last?.role === 'assistant' ? last.content : ''
    const turns = (last?.role === 'assistant' ? messages.slice(0, -1) : messages)
      // A template without a system role has the text merged into the user's, which small models do not bear.
      .filter(message => parts.supportsSystem || message.role !== 'system')
      .map(message => ({ ...message, content: cutControls(message.content, controls) }))
    if (turns.length === 0) throw new ModelNetError('INVALID_REQUEST', 'expected at least one message of role user')
    const { prompt } = readPrompt(await http.json('/apply-template', { messages: turns }, signal))
    const pieces = (prompt + cutControls(prefix, controls)).split(CUT).filter(piece => piece.length > 0)
    const tokens: number[] = []
    for (const [index, piece] of pieces.entries()) tokens.push(...(await tokenize(piece, index === 0, signal)))
    if (tokens.length >= card.contextLength)
      throw new ModelNetError(
        'CONTEXT_OVERFLOW',
        `the prompt takes ${tokens.length} tokens, the model has a context of ${card.contextLength}`,
        { details: { promptTokens: tokens.length, contextLength: card.contextLength } },
      )
    return { tokens, opened: parts.thinks && prompt.trimEnd().endsWith('<think>') }
  }

  async function* generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GeneratePart> {
    options.signal?.throwIfAborted()
    const deadline = startDeadline(clock, options)
    const { signal } = deadline
    let slot: number | undefined
    try {
      const { tokens: prompt, opened } = await toPrompt(request.messages, signal)
      slot = await slots.take(signal)
      const room = card.contextLength - prompt.length
      const body = toBody(request, prompt, Math.min(request.maxTokens ?? room, room), slot)
      const text = createTextStream(parts.thinks ? { reasoning: opened ? 'inside' : 'start' } : {})
      const logprobs: TokenLogprob[] = []
      let last: Completion | undefined
      for await (const data of http.events('/completion', body, signal)) {
        last = readEvent(data)
        if (request.topLogprobs) logprobs.push(...toLogprobs(last))
        yield* toParts(text.push(new TextEncoder().encode(last.content)), logprobs)
        if (last.stop) break
      }
      if (!last?.stop) throw new ModelNetError('PROTOCOL_ERROR', 'llama-server ended an answer without its last event')
      yield* toParts(text.end(), logprobs)
      yield toFinish(last, prompt.length)
    } finally {
      if (slot !== undefined) slots.release(slot)
      deadline.dispose()
    }
  }

  /** A thinking model thinks first, in its own context; one that continues an answer has thought already. */
  const think = async (
    request: GenerateRequest,
    { tokens, opened }: Prompt,
    signal: AbortSignal,
  ): Promise<readonly number[]> => {
    if (request.messages.at(-1)?.role === 'assistant') return tokens
    const maxTokens = thinkingBudget(card.contextLength - tokens.length)
    const thought = await thinkFirst({ generate }, request, { signal, maxTokens })
    if (!thought && !opened) return tokens
    return [...tokens, ...(await tokenize(enclosed(thought, opened), false, signal))]
  }

  return {
    card,
    generate,
    ...(vocabularySize === undefined
      ? {}
      : {
          async open(request, options = {}) {
            options.signal?.throwIfAborted()
            const { distribution = { kind: card.capabilities.includes('bytes') ? 'bytes' : 'tokens', top: 20 } } =
              options
            if (!card.capabilities.includes(distribution.kind))
              throw new ModelNetError('UNSUPPORTED', `model ${card.id} offers no distributions of ${distribution.kind}`)
            const deadline = startDeadline(clock, options)
            const { contextLength } = card
            try {
              const prompt = await toPrompt(request.messages, deadline.signal)
              tokenModel ??= createServerTokenModel(
                { http, slots, slotCount, vocabularySize, contextLength, endTokens },
                deadline.signal,
              ).catch(error => {
                tokenModel = undefined
                throw error
              })
              const tokens = parts.thinks ? await think(request, prompt, deadline.signal) : prompt.tokens
              return await createTokenSession(await tokenModel, tokens, distribution, { signal: deadline.signal })
            } finally {
              deadline.dispose()
            }
          },
        }),
    ...(parts.embed && { embed: parts.embed }),
    async close() {
      if (closed) return
      closed = true
      parts.onClose()
      await http.close()
    },
  }
}

function toBody(request: GenerateRequest, prompt: readonly number[], maxTokens: number, slot: number): object {
  const { temperature = 0, topP = 1, seed, stop, topLogprobs, jsonSchema } = request
  return {
    prompt,
    n_predict: maxTokens,
    temperature,
    top_p: topP,
    top_k: 0,
    min_p: 0,
    stream: true,
    cache_prompt: true,
    id_slot: slot,
    ...(seed === undefined ? {} : { seed: seed >>> 0 }),
    ...(stop && stop.length > 0 ? { stop } : {}),
    ...(topLogprobs ? { n_probs: topLogprobs } : {}),
    ...(jsonSchema ? { json_schema: jsonSchema } : {}),
  }
}

/** An event is a part of the answer, or an error that came up in its middle. */
function readEvent(data: string): Completion {
  const value = parseJson(data, 'llama-server')
  if (typeof value === 'object' && value !== null && 'error' in value)
    throw new ModelNetError(
      'ENGINE_FAILED',
      `llama-server failed in mid-answer: ${JSON.stringify(value.error).slice(0, 300)}`,
    )
  return readCompletion(value)
}

function toLogprobs(completion: Completion): readonly TokenLogprob[] {
  return (completion.completion_probabilities ?? []).map(({ bytes, logprob, top_logprobs }) => ({
    bytes: Uint8Array.from(bytes),
    logprob: logprob ?? Number.NEGATIVE_INFINITY,
    top: top_logprobs.map(other => ({
      bytes: Uint8Array.from(other.bytes),
      logprob: other.logprob ?? Number.NEGATIVE_INFINITY,
    })),
  }))
}

function toParts(pieces: readonly TextPiece[], logprobs: TokenLogprob[]): readonly GeneratePart[] {
  return pieces.map(piece => {
    const own = piece.type === 'text-delta' ? logprobs.splice(0) : []
    return own.length > 0 ? { ...piece, type: 'text-delta', logprobs: own } : piece
  })
}

function toFinish(last: Completion, promptTokens: number): GeneratePart {
  const ended = last.stop_type === 'eos'
  return {
    type: 'finish',
    reason: last.stop_type === 'limit' ? 'length' : 'stop',
    // The server counts the end token, which is no part of the answer.
    usage: { promptTokens, completionTokens: Math.max(0, (last.tokens_predicted ?? 0) - (ended ? 1 : 0)) },
  }
}
