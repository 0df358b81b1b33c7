import type { LlamaContext, LlamaModel, Token } from 'node-llama-cpp'
import type { GeneratePart, GenerateRequest, ModelCard, TokenLogprob } from '../../../protocol/index.ts'
import type { Clock } from '../../../utils/clock.ts'
import { startDeadline } from '../../../utils/deadline.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import { createRandom } from '../../../utils/random.ts'
import { createTokenSession } from '../../decoding/token-session.ts'
import type { LoadedModel } from '../../engine.ts'
import type { CallOptions } from '../../language-model.ts'
import { createTextStream } from '../../text-stream.ts'
import { thinkingBudget } from '../../thinking.ts'
import type { ChatTemplate } from './chat-template.ts'
import { contextOverflow } from './evaluation.ts'
import type { SampledToken, SamplingOptions } from './generation.ts'
import { sampleTokens, sampleWithGrammar } from './generation.ts'
import { createJsonGrammar } from './json-grammar.ts'
import { scoreText } from './scoring.ts'
import type { SequencePool } from './sequence-pool.ts'
import { createLlamaTokenModel } from './token-model.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { Vocabulary } from './vocabulary.ts'

export interface LlamaCppModelParts {
  readonly card: ModelCard
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly pool: SequencePool
  readonly vocabulary: Vocabulary
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  readonly endTokens: ReadonlySet<number>
  readonly clock: Clock
  /** See `LlamaCppEngineOptions.sessionsWait`. */
  readonly sessionsWait: boolean
}

const NOTHING = new Uint8Array()

/** A model loaded by llama.cpp as a `LanguageModel`. */
export function createLlamaCppModel(parts: LlamaCppModelParts): LoadedModel {
  const { card, model, pool, vocabulary, tokenizer, template, endTokens, clock } = parts
  const { contextLength } = card
  const tokenModel = createLlamaTokenModel({
    ...{ pool, vocabulary, tokenizer, endTokens, contextLength },
    waits: parts.sessionsWait,
  })
  let closing: Promise<void> | undefined

  const toPrompt = (messages: GenerateRequest['messages']): { tokens: readonly Token[]; opened: boolean } => {
    if (closing !== undefined) throw new ModelNetError('ENGINE_FAILED', `model ${card.id} was unloaded`)
    const pieces = template.render(messages)
    const tokens = tokenizer.prompt(pieces)
    if (tokens.length >= contextLength) throw contextOverflow(tokens.length, contextLength)
    return { tokens, opened: template.thinks && pieces.at(-1)?.trimEnd().endsWith('<think>') === true }
  }
  /** Control tokens are no text, except the marks of reasoning. */
  const marks = new Map([...vocabulary.controls].filter(([text]) => text === '<think>' || text === '</think>'))
  const markBytes = new Map([...marks].map(([text, id]) => [id, new TextEncoder().encode(text)]))
  const bytesOf = (token: number): Uint8Array => vocabulary.bytes[token] ?? markBytes.get(token) ?? NOTHING

  async function* generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GeneratePart> {
    options.signal?.throwIfAborted()
    const { tokens: prompt, opened } = toPrompt(request.messages)
    const grammar = request.jsonSchema ? await createJsonGrammar(model, request.jsonSchema) : undefined
    const room = contextLength - prompt.length
    const maxTokens = Math.min(request.maxTokens ?? room, room)
    const deadline = startDeadline(clock, options)
    const lease = await pool.take(prompt, deadline.signal).catch(error => {
      deadline.dispose()
      throw error
    })
    const sampling: SamplingOptions = {
      ...request,
      random: createRandom(request.seed ?? Math.floor(Math.random() * 0xffffffff)),
      bytesOf,
      signal: deadline.signal,
    }
    const sampled = grammar
      ? sampleWithGrammar(model, grammar, lease.sequence, prompt, sampling)
      : sampleTokens(lease.sequence, prompt, sampling)
    const text = createTextStream({
      stop: request.stop ?? [],
      trimEnd: grammar !== undefined,
      ...(template.thinks && !grammar ? { reasoning: opened ? 'inside' : 'start' } : {}),
    })
    const logprobs: TokenLogprob[] = []
    let completionTokens = 0
    let reason: 'stop' | 'length' = 'length'
    const toParts = (pieces: ReturnType<typeof text.push>): GeneratePart[] =>
      pieces.map(piece => {
        const own = piece.type === 'text-delta' ? logprobs.splice(0) : []
        return own.length > 0 ? { ...piece, type: 'text-delta', logprobs: own } : piece
      })
    try {
      for await (const sample of sampled) {
        if (endTokens.has(sample.token)) {
          reason = 'stop'
          break
        }
        completionTokens++
        collectLogprob(logprobs, sample, bytesOf)
        yield* toParts(text.push(bytesOf(sample.token)))
        if (text.stopped) reason = 'stop'
        if (text.stopped || completionTokens >= maxTokens) break
      }
      yield* toParts(text.end())
      yield { type: 'finish', reason, usage: { promptTokens: prompt.length, completionTokens } }
    } finally {
      await sampled.return(undefined)
      lease.release()
      deadline.dispose()
    }
  }

  /** A thinking model thinks first, in its own context: its thinking has no vote in a joint answer. */
  const think = async (prompt: readonly Token[], opened: boolean, signal: AbortSignal): Promise<readonly Token[]> => {
    const lease = await pool.take(prompt, signal)
    const text = createTextStream({ reasoning: opened ? 'inside' : 'start' })
    const limit = thinkingBudget(contextLength - prompt.length)
    const thought: Token[] = []
    const sampled = sampleTokens(lease.sequence, prompt, { random: createRandom(0), bytesOf, signal })
    try {
      for await (const { token } of sampled) {
        if (endTokens.has(token)) return prompt
        // Text outside of the reasoning: either it is over, or there was none.
        if (text.push(bytesOf(token)).some(piece => piece.type === 'text-delta')) break
        thought.push(token)
        if (thought.length >= limit) return [...prompt, ...thought, ...tokenizer.template('</think>\n\n')]
      }
    } finally {
      await sampled.return(undefined)
      lease.release()
    }
    return [...prompt, ...thought]
  }

  return {
    card,
    generate,
    async open(request, options = {}) {
      options.signal?.throwIfAborted()
      const { tokens, opened } = toPrompt(request.messages)
      const deadline = startDeadline(clock, options)
      try {
        const prompt = template.thinks ? await think(tokens, opened, deadline.signal) : tokens
        const { signal } = deadline
        return await createTokenSession(tokenModel, prompt, options.distribution ?? { kind: 'bytes' }, { signal })
      } finally {
        deadline.dispose()
      }
    },
    async score(request, options = {}) {
      options.signal?.throwIfAborted()
      const { tokens: prompt } = toPrompt(request.messages)
      const deadline = startDeadline(clock, options)
      try {
        return await scoreText({ pool, tokenizer, contextLength }, prompt, request.text, deadline.signal)
      } finally {
        deadline.dispose()
      }
    },
    close() {
      closing ??= (async () => {
        pool.close()
        await parts.context.dispose()
        await model.dispose()
      })()
      return closing
    },
  }
}

function collectLogprob(logprobs: TokenLogprob[], sample: SampledToken, bytesOf: (token: Token) => Uint8Array): void {
  if (sample.logprob) logprobs.push({ bytes: bytesOf(sample.token), ...sample.logprob })
}
