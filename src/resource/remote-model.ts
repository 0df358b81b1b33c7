import type { Channel } from '../network/index.ts'
import { callOnce } from '../network/index.ts'
import type {
  Embedding,
  EmbedRequest,
  EmbedResult,
  GeneratePart,
  GenerateRequest,
  ModelCard,
} from '../protocol/index.ts'
import { EmbeddingSchema, EmbedEndSchema, GeneratePartSchema, ScoreSchema } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError } from '../utils/errors.ts'
import { raceSignal } from '../utils/race-signal.ts'
import { noTracing, type Tracing } from '../utils/tracing.ts'
import type { CallOptions, LanguageModel } from './language-model.ts'
import { openRemoteSession } from './remote-session.ts'

export interface RemoteModelOptions {
  /** As its owner signed it: the model offers what the card says. */
  readonly card: ModelCard
  /** An open channel to the owner, shared by all calls; rejects with PEER_UNREACHABLE. */
  readonly channel: () => Promise<Channel>
  /** @default the system clock */
  readonly clock?: Clock
  /** Calls are followed as spans, and the owner is told under which. @default not followed */
  readonly tracing?: Tracing
}

/** A model behind a channel (a peer's, or one in the worker process) that looks like one of ours. */
export function createRemoteModel(options: RemoteModelOptions): LanguageModel {
  const { card, channel, clock = systemClock, tracing = noTracing } = options
  const offers = (capability: ModelCard['capabilities'][number]): boolean => card.capabilities.includes(capability)
  const bodyOf = (request: unknown): { model: string; request: unknown; traceparent?: string } => {
    const traceparent = tracing.traceparent()
    return { model: card.id, request, ...(traceparent !== undefined && { traceparent }) }
  }
  const ask = async (method: string, request: unknown, options: CallOptions = {}): Promise<unknown> => {
    options.signal?.throwIfAborted()
    return inTime(options, (open, left) => callOnce(open, method, bodyOf(request), left))
  }
  /** Waits for the channel no longer than for the answer. */
  const inTime = async <T, O extends CallOptions>(
    options: O,
    work: (channel: Channel, left: O) => Promise<T>,
  ): Promise<T> => {
    const deadline = startDeadline(clock, options)
    try {
      const open = await raceSignal(channel(), deadline.signal)
      return await work(open, options.deadlineMs === undefined ? options : { ...options, deadlineMs: deadline.left() })
    } finally {
      deadline.dispose()
    }
  }
  async function embed(open: Channel, request: EmbedRequest, left: CallOptions): Promise<EmbedResult> {
    const embeddings: Embedding[] = []
    let end: unknown
    for await (const part of open.call('embed', bodyOf(request), left).parts) {
      if (end !== undefined) throw violation(card, 'a part after the last one')
      const vector = EmbeddingSchema.safeParse(part)
      if (!vector.success) end = part
      else if (vector.data.length !== (embeddings[0] ?? vector.data).length || !vector.data.every(Number.isFinite))
        throw violation(card, 'embeddings of several lengths')
      else embeddings.push(vector.data)
    }
    const usage = EmbedEndSchema.safeParse(end)
    if (!usage.success || embeddings.length !== request.texts.length)
      throw violation(card, `${embeddings.length} embeddings of ${request.texts.length} texts`)
    return { embeddings, ...usage.data }
  }
  async function* generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GeneratePart> {
    options.signal?.throwIfAborted()
    const call = (await channel()).call('generate', bodyOf(request), options)
    let finished = false
    // Stopping to read the parts cancels the call.
    for await (const value of call.parts) {
      const part = checkPart(value, card)
      if (finished) throw violation(card, 'a part after the last one')
      finished = part.type === 'finish'
      yield part
      // The whole answer may have arrived while its reader was busy: an abort counts all the same.
      options.signal?.throwIfAborted()
    }
    if (!finished) throw violation(card, 'an answer without an end')
  }
  return {
    card,
    generate: (request, options) =>
      tracing.follow('modelnet.call', { 'modelnet.model': card.id, 'modelnet.node': card.node }, () =>
        generate(request, options),
      ),
    ...(offers('tokens') || offers('bytes')
      ? {
          open: (request, options = {}) =>
            inTime(options, (open, left) => openRemoteSession(open, clock, bodyOf(request), left)),
        }
      : {}),
    ...(offers('score')
      ? {
          async score(request, options) {
            const result = ScoreSchema.safeParse(await ask('score', request, options))
            if (!result.success) throw violation(card, 'a score of another form')
            return result.data
          },
        }
      : {}),
    ...(offers('embed')
      ? {
          async embed(request, options) {
            options?.signal?.throwIfAborted()
            return inTime(options ?? {}, (open, left) => embed(open, request, left))
          },
        }
      : {}),
  }
}

function checkPart(value: unknown, card: ModelCard): GeneratePart {
  const result = GeneratePartSchema.safeParse(value)
  if (result.success) return result.data
  throw violation(card, `a part of another form: ${result.error.issues[0]?.message}`)
}

const violation = (card: ModelCard, what: string): ModelNetError =>
  new ModelNetError('PROTOCOL_ERROR', `model ${card.id} at ${card.node} sent ${what}`)
