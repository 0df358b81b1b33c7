import type { ChatMessage, GeneratePart, GenerateRequest, Usage } from '../protocol/index.ts'
import type { CallOptions, LanguageModel } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import type { Deadline } from '../utils/deadline.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { CallRecord } from './call-record.ts'
import type { CircuitBreakers } from './circuit-breaker.ts'
import { canMoveOn, isServerFault } from './failover/faults.ts'
import { raceAttempts } from './failover/race.ts'
import { createRetryHint } from './failover/retry-hint.ts'
import { openWithFailover } from './failover/session.ts'
import type { Candidate } from './matching.ts'

export interface FailoverComponents {
  readonly clock: Clock
  readonly breakers?: CircuitBreakers
  readonly calls?: CallRecord
  /** Told of every switch, for traces and logs. */
  readonly onSwitch?: (event: SwitchEvent) => void
}

export interface SwitchEvent {
  /** `model@node` that failed or was late, and the one that takes over; undefined when nobody is left. */
  readonly from: string
  readonly to: string | undefined
  /** Of the failure; `OUTRUN`: the other was asked as well and answered first; `SKIPPED`: its circuit lets no call through. */
  readonly code: string
  /** Characters already streamed. */
  readonly at: number
}

export interface FailoverOptions {
  /** Milliseconds without any part after which a candidate counts as lost. @default 20_000 */
  readonly stallMs?: number
  /**
   * Asks a second candidate when the first is later than this quantile of its own times, the longer the busier the second
   * is; 1 never hedges. @default 0.95
   */
  readonly hedgeQuantile?: number
  /** A hedge never starts sooner, in ms. @default 50 */
  readonly minHedgeMs?: number
}

/**
 * Several candidates as one model: the next takes over when one fails, also in mid-answer, where the text streamed so
 * far becomes the prefix the next one continues, so nothing is lost or said twice. The caller's own faults are thrown
 * at once. Usage counts the prompt once and every completion token that was streamed; of a holder that died, streamed
 * parts are counted as one token each (or by their reported log-probabilities).
 *
 * Throws NO_CANDIDATE for an empty list, else the error of the last candidate, with `details.retryAfterMs` if any said it.
 */
export function createFailoverModel(
  candidates: readonly Candidate[],
  components: FailoverComponents,
  options: FailoverOptions = {},
): LanguageModel {
  const first = candidates[0]
  if (!first) throw new ModelNetError('NO_CANDIDATE', 'no live model can serve this task now')
  const { clock, breakers } = components

  async function* generate(request: GenerateRequest, call: CallOptions = {}): AsyncGenerator<GeneratePart> {
    call.signal?.throwIfAborted()
    const deadline = startDeadline(clock, call)
    const state = { text: '', tokens: 0, reasoned: false }
    let left = [...candidates]
    const hint = createRetryHint()
    let lastError: ModelNetError | undefined
    /** Who answers, as far as the caller knows. */
    let told: string | undefined = candidates[0]?.name
    const switchTo = (to: string | undefined, code: string): void => {
      if (to === told) return
      components.onSwitch?.({ from: told ?? 'nobody', to, code, at: state.text.length })
      told = to
    }
    try {
      while (true) {
        const holders = enterable(left, breakers)
        const holder = holders[0]
        if (!holder) throw lastError ?? new ModelNetError('NO_CANDIDATE', 'every candidate has an open circuit')
        const replayed = request.jsonSchema !== undefined ? state.text : ''
        const onServe = ({ name }: Candidate, code: string): void => switchTo(name, code)
        const next = continued(request, state, replayed !== '')
        const attempt = raceAttempts(holders, next, deadline, { ...components, onServe, hint }, options)
        try {
          // a holder that died after its last token left nothing to say but the usage of the prompt
          yield* forward(
            attempt,
            state,
            replayed,
            replayed === '' && state.tokens >= (request.maxTokens ?? Number.POSITIVE_INFINITY),
          )
          return
        } catch (error) {
          lastError = hint.onto(toModelNetError(error, 'ENGINE_FAILED'))
          deadline.signal.throwIfAborted()
          // nobody failed: every circuit has its one trial on the way, and asking again at once would never end
          if (!canMoveOn(lastError) || attempt.failed().length === 0) throw lastError
          left = orderAfter(left, attempt.failed(), state.text !== '')
          switchTo(left[0]?.name, lastError.code)
          if (left.length === 0) throw lastError
        }
      }
    } finally {
      deadline.dispose()
    }
  }

  /** The first candidate that can answers; used where an answer is all or nothing. */
  async function firstOf<T>(
    call: CallOptions,
    ask: (model: LanguageModel, options: CallOptions) => Promise<T>,
    able: readonly Candidate[],
  ): Promise<T> {
    const deadline = startDeadline(clock, call)
    const hint = createRetryHint()
    let lastError = new ModelNetError('NO_CANDIDATE', 'every candidate has an open circuit')
    try {
      for (const candidate of able) {
        if (breakers?.enter(candidate.name) === false) continue
        try {
          const result = await ask(candidate.model, callOptions(deadline))
          breakers?.succeed(candidate.name)
          return result
        } catch (error) {
          lastError = toModelNetError(error, 'ENGINE_FAILED')
          if (isServerFault(lastError) && !call.signal?.aborted) breakers?.fail(candidate.name)
          else breakers?.leave(candidate.name)
          deadline.signal.throwIfAborted()
          if (!canMoveOn(lastError)) throw lastError
          hint.note(lastError)
        }
      }
      throw hint.onto(lastError)
    } finally {
      deadline.dispose()
    }
  }

  const model: { -readonly [Key in keyof LanguageModel]: LanguageModel[Key] } = { card: first.model.card, generate }
  const opening = candidates.filter(candidate => candidate.model.open)
  const scoring = candidates.filter(candidate => candidate.model.score)
  const embedding = candidates.filter(candidate => candidate.model.embed && sameModel(candidate, first))
  if (opening.length > 0) model.open = (request, call = {}) => openWithFailover(opening, request, call, components)
  if (scoring.length > 0)
    model.score = (request, call = {}) =>
      firstOf(call, (able, rest) => required(able.score?.(request, rest), 'score'), scoring)
  // vectors of different models do not compare, so only copies of the first may stand in
  if (embedding.length > 0)
    model.embed = (request, call = {}) =>
      firstOf(call, (able, rest) => required(able.embed?.(request, rest), 'embed'), embedding)
  return model
}

interface Progress {
  text: string
  tokens: number
  reasoned: boolean
}

/** Passes parts on and remembers what was said; under `replayed` text, repetition is checked and swallowed; `mute` swallows all text. */
async function* forward(
  parts: AsyncIterable<GeneratePart>,
  state: Progress,
  replayed: string,
  mute: boolean,
): AsyncGenerator<GeneratePart> {
  const before = replayed === '' ? state.tokens : 0
  const alreadyReasoned = state.reasoned
  let waiting = replayed
  let skipped = 0
  for await (const part of parts) {
    if (part.type === 'finish') {
      if (waiting !== '') throw mismatch()
      yield mute
        ? { ...part, reason: 'length', usage: { ...sum(part.usage, before), completionTokens: before } }
        : { ...part, usage: sum(part.usage, before) }
      return
    }
    if (part.type === 'reasoning-delta') {
      if (alreadyReasoned || state.text !== '') continue
      state.reasoned = true
      yield part
      continue
    }
    const tokens = part.logprobs?.length ?? 1
    if (mute) continue
    if (waiting !== '') {
      const shared = Math.min(waiting.length, part.text.length)
      if (waiting.slice(0, shared) !== part.text.slice(0, shared)) throw mismatch()
      waiting = waiting.slice(shared)
      skipped += tokens
      if (shared === part.text.length) continue
      state.tokens = skipped
      const text = part.text.slice(shared)
      state.text += text
      yield { type: 'text-delta', text }
      continue
    }
    state.text += part.text
    state.tokens += tokens
    yield part
  }
  throw new ModelNetError('PROTOCOL_ERROR', 'the answer ended without a finish part')
}

const mismatch = (): ModelNetError =>
  new ModelNetError('PEER_LOST', 'the holder was lost and its replacement answers with other JSON', {
    retryable: false,
  })

/** Of a successor the prompt includes the text so far: that is completion, not prompt, and is counted once. */
function sum(usage: Usage, before: number): Usage {
  return {
    promptTokens: Math.max(0, usage.promptTokens - before),
    completionTokens: usage.completionTokens + before,
  }
}

/**
 * The request for the next holder. Text so far becomes its assistant prefix. A JSON answer is begun anew instead: an
 * engine that enforces a schema would start it in the middle.
 */
function continued(request: GenerateRequest, { text, tokens }: Progress, fromStart: boolean): GenerateRequest {
  if (text === '' || fromStart) return request
  const last = request.messages.at(-1)
  const messages: readonly ChatMessage[] =
    last?.role === 'assistant'
      ? [...request.messages.slice(0, -1), { role: 'assistant', content: last.content + text }]
      : [...request.messages, { role: 'assistant', content: text }]
  return {
    ...request,
    messages,
    ...(request.maxTokens === undefined ? {} : { maxTokens: Math.max(1, request.maxTokens - tokens) }),
  }
}

/** Who is left, best first; in mid-answer copies of the failed model come first, since they would say the same. */
function orderAfter(left: readonly Candidate[], failed: readonly Candidate[], midway: boolean): Candidate[] {
  const rest = left.filter(candidate => !failed.includes(candidate))
  const lost = failed[0]
  if (!midway || !lost) return rest
  return [
    ...rest.filter(candidate => sameModel(candidate, lost)),
    ...rest.filter(candidate => !sameModel(candidate, lost)),
  ]
}

const sameModel = (a: Candidate, b: Candidate): boolean => a.model.card.id === b.model.card.id

const enterable = (left: readonly Candidate[], breakers: CircuitBreakers | undefined): readonly Candidate[] =>
  left.filter(({ name }) => breakers?.state(name) !== 'open')

const callOptions = (deadline: Deadline): CallOptions => ({
  signal: deadline.signal,
  ...(Number.isFinite(deadline.left()) ? { deadlineMs: deadline.left() } : {}),
})

function required<T>(promise: Promise<T> | undefined, what: string): Promise<T> {
  return promise ?? Promise.reject(new ModelNetError('UNSUPPORTED', `the model has no ${what}`))
}
