import type { ChatMessage, FinishReason, GenerateRequest, Usage } from '../../protocol/index.ts'
import type { Candidate } from '../../service/index.ts'
import { isModelNetError, ModelNetError, toModelNetError } from '../../utils/errors.ts'
import { hash32 } from '../../utils/random.ts'
import { createReasoningFilter } from '../answers/reasoning.ts'
import { isUnwanted } from './context.ts'
import { createContinuation } from './continuation.ts'
import { costOf } from './ledger.ts'
import type { Answer, Board, PathwayContext, PathwayEvent } from './path.ts'
import { replayCall } from './replay-call.ts'
import type { Wanted } from './resolve.ts'
import { resolve } from './resolve.ts'
import { countCharacters, estimateTokens, fitMessages } from './trimming.ts'

/** One question to one model, as a path or a rule wants it. */
export interface CallRequest extends Wanted {
  readonly messages: readonly ChatMessage[]
  /** Sampling options. @default those of the task */
  readonly options?: Omit<GenerateRequest, 'messages'>
  /** Said in the trace. */
  readonly why: string
  /** True when the messages carry text of other models. @default false */
  readonly tainted?: boolean
}

/** How often a prompt that does not fit its model is shortened before giving up. */
const MAX_TRIMS = 4

/** Continuations of an answer that the engine cut off although nobody limited it. */
const MAX_CONTINUATIONS = 2

/**
 * The one place where a pathway asks a model: resolves the reference, reserves in the ledger, asks with failover,
 * strips hidden reasoning, continues what was cut off, and tells all of it as events.
 */
export async function* runCall(
  request: CallRequest,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Answer> {
  context.signal.throwIfAborted()
  if (context.recorded) return yield* replayCall(request.why, context, context.recorded)
  const candidates = resolve(request, board, context.matcher)
  const lead = candidates[0] as Candidate // resolve throws rather than giving none
  const options = request.options ?? board.task.options
  const last = request.messages.at(-1)
  const call: Running = {
    request: { ...options, ...seedOf(options.seed, context.scope), messages: request.messages },
    composed: request.tainted ?? false,
    prefix: last?.role === 'assistant' ? last.content : '',
    serving: lead,
    notes: [],
    text: '',
    parts: 0,
    usage: { promptTokens: 0, completionTokens: 0 },
    finish: 'stop',
    logprobs: { sum: 0, count: 0 },
    firstMs: undefined,
  }
  const price = (): { input: number; output: number } | undefined => call.serving.model.card.price
  const grant = context.ledger.reserve(estimateTokens(request.messages), options.maxTokens ?? Infinity, price())
  const started = context.clock.monotonic()
  let settled = false
  const settle = (): number => {
    const cost = costOf(call.usage, price())
    if (!settled) context.ledger.settle(grant, call.usage, cost)
    settled = true
    return cost
  }
  yield { type: 'call-start', call: context.scope, model: lead.model.card.id, node: nodeOf(lead), why: request.why }
  try {
    yield* generate(call, candidates, grant.tokens, options.maxTokens === undefined, context)
    const cost = settle()
    const { sum, count } = call.logprobs
    const answer: Answer = {
      text: call.text,
      by: call.serving.name,
      usage: call.usage,
      finish: call.finish,
      ...(count > 0 ? { confidence: Math.exp(sum / count) } : {}),
      ...(request.tainted ? { tainted: true } : {}),
    }
    yield {
      type: 'call-end',
      call: context.scope,
      model: call.serving.model.card.id,
      node: nodeOf(call.serving),
      ms: context.clock.monotonic() - started,
      ...(call.firstMs === undefined ? {} : { firstMs: call.firstMs - started }),
      cost,
      answer,
    }
    return answer
  } catch (cause) {
    const error = toModelNetError(cause, 'ENGINE_FAILED')
    const ms = context.clock.monotonic() - started
    yield {
      type: 'call-fail',
      call: context.scope,
      code: error.code,
      message: error.message,
      ms,
      ...(isUnwanted(context) ? { stopped: true } : {}),
      ...(call.text === '' ? {} : { text: call.text }),
    }
    throw error
  } finally {
    settle()
  }
}

interface Running {
  request: GenerateRequest
  /** The messages carry texts of other models, which may be cut. */
  readonly composed: boolean
  /** What the caller began the answer with. */
  readonly prefix: string
  serving: Candidate
  readonly notes: PathwayEvent[]
  text: string
  parts: number
  usage: Usage
  finish: FinishReason
  readonly logprobs: { sum: number; count: number }
  firstMs: number | undefined
}

/** What became of the one that does not answer, where it did not fail. */
const WHY: Readonly<Record<string, string>> = { OUTRUN: 'was late', SKIPPED: 'is not asked now' }

/** Streams one answer into `call`, asking for more while it was cut off by the engine's own limit. */
async function* generate(
  call: Running,
  candidates: readonly Candidate[],
  granted: number,
  unlimited: boolean,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent> {
  const model = context.failover(candidates, ({ from, to, code }) => {
    call.serving = candidates.find(({ name }) => name === to) ?? call.serving
    const message = `${from} ${WHY[code] ?? `failed (${code})`}, ${to === undefined ? 'nobody is left' : `${to} takes over`}`
    call.notes.push({ type: 'note', stage: context.scope, message, facts: { from, to, code } })
  })
  for (let round = 0, trims = 0; ; round++) {
    const left = granted - call.usage.completionTokens
    const limit = Number.isFinite(left) ? { maxTokens: Math.max(1, left) } : {}
    try {
      yield* stream(call, model.generate({ ...call.request, ...limit }, callOptions(context)), context)
    } catch (error) {
      if (!isModelNetError(error) || error.code !== 'CONTEXT_OVERFLOW' || ++trims > MAX_TRIMS) throw error
      yield trim(call, error.details, context)
      continue
    }
    const mayGoOn = unlimited && granted - call.usage.completionTokens >= 1
    if (call.finish !== 'length' || call.text === '' || !mayGoOn || round >= MAX_CONTINUATIONS) return
    yield { type: 'note', stage: context.scope, message: 'the answer was cut off and is continued' }
    const { messages } = call.request
    const asked = messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages
    call.request = { ...call.request, messages: [...asked, { role: 'assistant', content: call.prefix + call.text }] }
  }
}

/** Shortens a prompt that its model refused as too long, to what the refusal says, or by a third. */
function trim(call: Running, details: Readonly<Record<string, unknown>>, context: PathwayContext): PathwayEvent {
  const { promptTokens, contextLength = call.serving.model.card.contextLength } = details
  const room = call.request.maxTokens ?? Number(contextLength) / 4
  const ratio = (0.9 * (Number(contextLength) - room)) / Number(promptTokens)
  const share = ratio > 0.05 && ratio < 0.9 ? ratio : 0.66
  const { messages } = call.request
  const fitted = fitMessages(messages, Math.floor(countCharacters(messages) * share), call.composed)
  if (fitted.removed === 0) {
    const message = `the question takes ${promptTokens} tokens, the context of ${call.serving.name} has ${contextLength}`
    throw new ModelNetError('CONTEXT_OVERFLOW', message, { details })
  }
  call.request = { ...call.request, messages: fitted.messages }
  const message = `${fitted.removed} characters were left out to fit the context of ${call.serving.name}`
  return { type: 'note', stage: context.scope, message, facts: { removed: fitted.removed } }
}

async function* stream(
  call: Running,
  parts: ReturnType<ReturnType<PathwayContext['failover']>['generate']>,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent> {
  const filter = createReasoningFilter()
  const before = call.text
  const base = call.usage
  let continuation = createContinuation(before)
  const show = function* (fresh: string): Generator<PathwayEvent> {
    if (fresh === '') return
    call.text += fresh
    yield { type: 'call-delta', call: context.scope, text: fresh, final: context.visible }
    if (context.visible) yield { type: 'text-delta', text: fresh }
  }
  for await (const part of parts) {
    yield* call.notes.splice(0)
    call.firstMs ??= context.clock.monotonic()
    if (part.type === 'text-delta') {
      call.usage = { ...call.usage, completionTokens: call.usage.completionTokens + (part.logprobs?.length ?? 1) }
      for (const { logprob } of part.logprobs ?? []) {
        call.logprobs.sum += logprob
        call.logprobs.count++
      }
      const { text, reset } = filter.push(part.text)
      if (reset) continuation = createContinuation(before)
      if (reset && call.text !== before) {
        call.text = before
        if (context.visible) yield { type: 'text-reset', why: 'what was streamed was hidden reasoning' }
      }
      yield* show(continuation.push(text))
    } else if (part.type === 'finish') {
      call.finish = part.reason
      call.usage = {
        promptTokens: base.promptTokens + part.usage.promptTokens,
        completionTokens: base.completionTokens + part.usage.completionTokens,
      }
    }
  }
  yield* call.notes.splice(0)
  yield* show(continuation.push(filter.end()))
  yield* show(continuation.end())
}

const callOptions = (context: PathwayContext): { signal: AbortSignal; deadlineMs?: number } => {
  const deadlineMs = context.ledger.remainingMs()
  return { signal: context.signal, ...(Number.isFinite(deadlineMs) ? { deadlineMs: Math.max(1, deadlineMs) } : {}) }
}

/** The user's seed for the one call there is; a seed of its own for each of several, or samples would be copies. */
const seedOf = (seed: number | undefined, scope: string): { seed?: number } =>
  seed === undefined ? {} : { seed: scope.includes('.') ? hash32(scope, seed) & 0x7fffffff : seed }

const nodeOf = ({ name }: Candidate): string => name.slice(name.lastIndexOf('@') + 1)
