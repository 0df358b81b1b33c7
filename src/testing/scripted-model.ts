import type { ChatMessage, ModelCard } from '../protocol/index.ts'
import { checkTexts, toUnitLength } from '../resource/embedding.ts'
import type { CallOptions, Distribution, GeneratePart, GenerateRequest, LoadedModel } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { ScriptedSession } from './scripted-session.ts'
import { createScriptedSession } from './scripted-session.ts'

const END = 256

export interface ScriptedModelOptions {
  /** @default 'scripted' */
  readonly id?: string
  /** @default 'local' */
  readonly node?: string
  /** Overrides fields of the card. */
  readonly card?: Partial<ModelCard>
  /** The whole answer to a request. A prefix in a last assistant message is taken off it. @default 'ok' */
  readonly answer?: string | ((request: GenerateRequest) => string | Promise<string>)
  /** Hidden reasoning streamed before the answer. */
  readonly reasoning?: string
  /** Probability of the answer's next byte or token in decode sessions; the rest is spread evenly. @default 0.9 */
  readonly certainty?: number
  /** Replaces the distributions made from `answer`: what follows `text` in the answer to `request`. */
  readonly next?: (text: Uint8Array, request: GenerateRequest) => Distribution
  /** Makes a vector of any length but 0; the model scales it to unit length. */
  readonly embed?: (text: string) => readonly number[]
  /** @default the system clock */
  readonly clock?: Clock
  /** Before the first part, in ms. @default 0 */
  readonly firstDelayMs?: number
  /** Before every further part, in ms. @default 0 */
  readonly partDelayMs?: number
  /** Of one decode step, in ms. @default 0 */
  readonly stepDelayMs?: number
  /** Fails calls after so many text parts (0: before the first); `calls` limits it to the first so many calls. */
  readonly failure?: { readonly error?: Error; readonly afterParts?: number; readonly calls?: number }
  /** Never answers until aborted. @default false */
  readonly hang?: boolean
  /** Tokens; a token of this model is a word with the space before it. @default 4096 */
  readonly contextLength?: number
}

/** A model without weights, with what a test wants to look at. */
export interface ScriptedModel extends LoadedModel {
  /** Requests to `generate` and `open` so far. */
  readonly requests: readonly GenerateRequest[]
  /** Calls in flight. */
  readonly running: number
  /** Calls that ended before their last part: aborted, failed, or no longer read. */
  readonly cancelled: number
  readonly sessions: readonly ScriptedSession[]
  readonly closed: boolean
  open(...parameters: Parameters<NonNullable<LoadedModel['open']>>): Promise<ScriptedSession>
  score: NonNullable<LoadedModel['score']>
}

/** A `LanguageModel` that says what it is told to, with delays on a clock, failures, and exact distributions. */
export function createScriptedModel(options: ScriptedModelOptions = {}): ScriptedModel {
  const { answer = 'ok', certainty = 0.9, clock = systemClock, firstDelayMs = 0, partDelayMs = 0 } = options
  const { contextLength = 4096, failure, hang = false } = options
  const requests: GenerateRequest[] = []
  const sessions: ScriptedSession[] = []
  const state = { running: 0, cancelled: 0, closed: false }

  const begin = (request: GenerateRequest, call: CallOptions): number => {
    call.signal?.throwIfAborted()
    if (state.closed) throw new ModelNetError('ENGINE_FAILED', 'the scripted model is closed')
    requests.push(request)
    const promptTokens = request.messages.reduce((sum, message) => sum + toTokens(message.content).length, 0)
    if (promptTokens >= contextLength)
      throw new ModelNetError(
        'CONTEXT_OVERFLOW',
        `the prompt takes ${promptTokens} tokens, the context has ${contextLength}`,
        { details: { promptTokens, contextLength } },
      )
    return promptTokens
  }
  const answerTo = async (request: GenerateRequest): Promise<string> => {
    const text = typeof answer === 'string' ? answer : await answer(request)
    const prefix = prefixOf(request.messages)
    return text.startsWith(prefix) ? text.slice(prefix.length) : text
  }
  const nextFor = async (
    request: GenerateRequest,
    kind: 'bytes' | 'tokens',
  ): Promise<(text: Uint8Array) => Distribution> => {
    const { next } = options
    if (next) return text => next(text, request)
    const target = await answerTo(request)
    return text => (kind === 'bytes' ? nextByte(target, text, certainty) : nextToken(target, text, certainty))
  }

  async function* generate(request: GenerateRequest, call: CallOptions = {}): AsyncGenerator<GeneratePart> {
    const promptTokens = begin(request, call)
    const failing = failure !== undefined && requests.length <= (failure.calls ?? Number.POSITIVE_INFINITY)
    const failsAt = failing ? (failure.afterParts ?? 0) : Number.POSITIVE_INFINITY
    const error = failure?.error ?? new ModelNetError('ENGINE_FAILED', 'the scripted model fails here')
    const deadline = startDeadline(clock, call)
    let finished = false
    let parts = 0
    state.running++
    const wait = async (ms: number): Promise<void> => {
      if (ms > 0) await clock.sleep(ms, deadline.signal)
      deadline.signal.throwIfAborted()
    }
    try {
      if (hang)
        await new Promise((_, reject) =>
          deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason)),
        )
      await wait(firstDelayMs)
      if (options.reasoning) yield { type: 'reasoning-delta', text: options.reasoning }
      const whole = beforeStop(await answerTo(request), request.stop ?? [])
      const tokens = toTokens(whole)
      const shown = tokens.slice(0, request.maxTokens ?? tokens.length)
      for (const token of shown) {
        if (parts >= failsAt) throw error
        if (parts++ > 0) await wait(partDelayMs)
        yield {
          type: 'text-delta',
          text: token,
          ...(request.topLogprobs ? { logprobs: [{ bytes: encode(token), logprob: Math.log(certainty) }] } : {}),
        }
      }
      if (parts >= failsAt) throw error
      deadline.signal.throwIfAborted()
      finished = true
      yield {
        type: 'finish',
        reason: shown.length < tokens.length ? 'length' : 'stop',
        usage: { promptTokens, completionTokens: shown.length },
      }
    } finally {
      deadline.dispose()
      state.running--
      if (!finished) state.cancelled++
    }
  }

  const model: Omit<ScriptedModel, 'requests' | 'sessions' | 'running' | 'cancelled' | 'closed'> = {
    card: createScriptedCard({ ...options, contextLength }),
    generate,
    async open(request, call = {}) {
      begin(request, call)
      if (failure && requests.length <= (failure.calls ?? Number.POSITIVE_INFINITY) && !failure.afterParts)
        throw failure.error ?? new ModelNetError('ENGINE_FAILED', 'the scripted model fails here')
      const distribution = call.distribution ?? { kind: 'bytes' }
      const session = createScriptedSession({
        distribution,
        next: await nextFor(request, distribution.kind),
        clock,
        stepDelayMs: options.stepDelayMs ?? 0,
        ...(failure?.afterParts ? { failAfterSteps: failure.afterParts } : {}),
        ...(failure?.error ? { error: failure.error } : {}),
        onClose: () => state.running--,
      })
      state.running++
      sessions.push(session)
      return session
    },
    async score(request, call = {}) {
      begin({ messages: request.messages }, call)
      const next = await nextFor({ messages: request.messages }, 'bytes')
      const bytes = encode(request.text)
      let logprob = 0
      for (let index = 0; index < bytes.length; index++) {
        const distribution = next(bytes.subarray(0, index))
        if (distribution.kind !== 'bytes')
          throw new ModelNetError('UNSUPPORTED', 'score needs a script of byte distributions')
        logprob += Math.log(distribution.probabilities[bytes[index] ?? END] ?? 0)
      }
      return { logprob, tokens: toTokens(request.text).length, bytes: bytes.length }
    },
    async close() {
      state.closed = true
    },
  }
  const { embed } = options
  if (embed)
    model.embed = async ({ texts }, call = {}) => {
      call.signal?.throwIfAborted()
      if (state.closed) throw new ModelNetError('ENGINE_FAILED', 'the scripted model is closed')
      checkTexts({ texts })
      const promptTokens = texts.map(text => toTokens(text).length)
      const longest = Math.max(...promptTokens)
      if (longest > contextLength)
        throw new ModelNetError('CONTEXT_OVERFLOW', `a text takes ${longest} tokens, the context has ${contextLength}`)
      const deadline = startDeadline(clock, call)
      try {
        if (firstDelayMs > 0) await clock.sleep(firstDelayMs, deadline.signal)
        const embeddings = texts.map(text => toUnitLength(embed(text)))
        return { embeddings, promptTokens: promptTokens.reduce((sum, count) => sum + count, 0) }
      } finally {
        deadline.dispose()
      }
    }
  return Object.defineProperties(model, {
    requests: { get: () => requests },
    sessions: { get: () => sessions },
    running: { get: () => state.running },
    cancelled: { get: () => state.cancelled },
    closed: { get: () => state.closed },
  }) as ScriptedModel // the five properties are defined in the lines above
}

/** A card as a scripted model has it; valid for a thousand years. */
export function createScriptedCard(
  options: Pick<ScriptedModelOptions, 'id' | 'node' | 'card' | 'embed' | 'contextLength'> = {},
): ModelCard {
  return {
    version: 1,
    id: options.id ?? 'scripted',
    node: options.node ?? 'local',
    description: 'says what a test tells it to',
    tags: ['lang:en'],
    capabilities: ['generate', 'tokens', 'bytes', 'score', ...(options.embed ? (['embed'] as const) : [])],
    contextLength: options.contextLength ?? 4096,
    engine: 'scripted',
    issuedAt: 1_700_000_000,
    expiresAt: 33_000_000_000,
    ...options.card,
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const toTokens = (text: string): readonly string[] => text.match(/\s*\S+|\s+/g) ?? []

function prefixOf(messages: readonly ChatMessage[]): string {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? last.content : ''
}

function beforeStop(text: string, stops: readonly string[]): string {
  const ends = stops.map(stop => text.indexOf(stop)).filter(index => index >= 0)
  return ends.length > 0 ? text.slice(0, Math.min(...ends)) : text
}

/** What is left of the target after the text; undefined when the text has left the target. */
function restOf(target: Uint8Array, text: Uint8Array): Uint8Array | undefined {
  return text.length <= target.length && text.every((byte, index) => byte === target[index])
    ? target.subarray(text.length)
    : undefined
}

function nextByte(target: string, text: Uint8Array, certainty: number): Distribution {
  const rest = restOf(encode(target), text)
  const probabilities = new Float64Array(END + 1).fill((1 - certainty) / END)
  probabilities[rest?.[0] ?? END] = certainty
  return { kind: 'bytes', probabilities }
}

function nextToken(target: string, text: Uint8Array, certainty: number): Distribution {
  const rest = restOf(encode(target), text)
  const other = (1 - certainty) / 2
  if (!rest || rest.length === 0)
    return {
      kind: 'tokens',
      candidates: [{ bytes: encode(' '), logprob: Math.log(other) }],
      end: Math.log(certainty),
      residual: other,
    }
  // Inside a character the rest is not text: the token is then the bytes up to the next space.
  const space = rest.indexOf(32, 1)
  const token = rest.subarray(0, space > 0 ? space : rest.length)
  return {
    kind: 'tokens',
    candidates: [{ bytes: token, logprob: Math.log(certainty) }],
    end: Math.log(other),
    residual: other,
  }
}
