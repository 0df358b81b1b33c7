import type { PathwayEvent } from '../../interaction/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { AnswerReport } from '../ask-view.ts'
import type { ChatRequest } from './chat-request.ts'
import { toOpenAiError } from './openai-error.ts'

/** A finished answer of the network. */
interface ChatOutcome extends AnswerReport {
  readonly text: string
  readonly finish: 'stop' | 'length' | 'cancelled'
}

/** What the gateway asks: the node's coordinator. */
export type Asker = (request: ChatRequest, signal: AbortSignal) => AsyncGenerator<PathwayEvent, ChatOutcome>

export interface ChatContext {
  /** `chatcmpl-…`; also the request id. */
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly ask: Asker
  readonly signal: AbortSignal
}

/** The whole answer as OpenAI's `chat.completion`, with a `modelnet` field that says how it was made. */
export async function completeChat(request: ChatRequest, context: ChatContext): Promise<object> {
  const run = context.ask(request, context.signal)
  let step = await run.next()
  while (!step.done) step = await run.next()
  const outcome = step.value
  return {
    id: context.id,
    object: 'chat.completion',
    created: context.created,
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: outcome.text, refusal: null },
        finish_reason: outcome.finish === 'length' ? 'length' : 'stop',
        logprobs: null,
      },
    ],
    usage: toUsage(outcome),
    modelnet: toReport(outcome),
  }
}

/**
 * The answer as server-sent events in OpenAI's form; each yielded string is one event. An error after the first
 * event is an event too, as the status line is gone by then. With `events`, chunks without choices tell what
 * the members do.
 */
export async function* streamChat(request: ChatRequest, context: ChatContext): AsyncGenerator<string> {
  const head = { id: context.id, object: 'chat.completion.chunk', created: context.created, model: request.model }
  const prefix = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":0,"delta":{"content":`
  const suffix = '},"logprobs":null,"finish_reason":null}]}\n\n'
  const event = (fields: object): string => `data: ${JSON.stringify({ ...head, ...fields })}\n\n`
  const choice = (delta: object, finish: string | null): object => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })
  const run = context.ask(request, context.signal)
  let opened = false
  try {
    let step = await run.next()
    yield event(choice({ role: 'assistant', content: '' }, null))
    opened = true
    for (; !step.done; step = await run.next()) {
      const part = step.value
      if (part.type === 'text-delta') yield `${prefix}${JSON.stringify(part.text)}${suffix}`
      else if (part.type === 'text-reset')
        throw new ModelNetError('ENGINE_FAILED', `what was streamed does not hold: ${part.why}`)
      else if (request.events) yield event({ choices: [], modelnet: { event: part } })
    }
    const outcome = step.value
    yield event({
      ...choice({}, outcome.finish === 'length' ? 'length' : 'stop'),
      ...(request.events && { modelnet: { result: toReport(outcome) } }),
    })
    if (request.includeUsage) yield event({ choices: [], usage: toUsage(outcome) })
    yield 'data: [DONE]\n\n'
  } catch (thrown) {
    if (!opened) throw thrown
    if (context.signal.aborted) return
    yield `data: ${JSON.stringify(toOpenAiError(thrown).body)}\n\n`
  } finally {
    await run.return(undefined as never) // the reader may have stopped early; the value of a stopped run is not read
  }
}

const toUsage = ({ usage }: ChatOutcome): object => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
})

function toReport(outcome: ChatOutcome): AnswerReport {
  const { pathway, why, members, usage, ms, cost } = outcome
  return { pathway, why, members, usage, ms, cost }
}
