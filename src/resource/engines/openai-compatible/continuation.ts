import { z } from 'zod'
import type { Candidate, ChatMessage, TokenDistribution } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import type { Continuation, ContinueText } from '../../decoding/continued-session.ts'
import { isEndText } from '../../end-texts.ts'
import type { HttpClient } from '../../http-client.ts'
import type { ListedModel } from './protocol.ts'

/** Alternatives per token that OpenAI's API allows to ask for, and most servers give. */
export const MOST_TOP_LOGPROBS = 20

export interface ContinuationParts {
  readonly http: HttpClient
  readonly model: ListedModel
  readonly messages: readonly ChatMessage[]
  /** Alternatives asked for: 1 to `MOST_TOP_LOGPROBS`. */
  readonly top: number
}

/** With what endpoints tell beside the tokens. */
export interface ReportedContinuation extends Continuation {
  /** Some of it was hidden reasoning. */
  readonly reasoned: boolean
}

const text = z.string().nullish()
const entry = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int().min(0).max(255)).nullish(),
})

const CompletionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: text,
        message: z.object({ reasoning_content: text, reasoning: text }).nullish(),
        logprobs: z
          .object({ content: z.array(entry.extend({ top_logprobs: z.array(entry).nullish() })).nullish() })
          .nullish(),
      }),
    )
    .min(1),
})

type Entry = z.infer<typeof entry>

/**
 * Continues a text by chat completions: the text so far is a last message of the assistant, which the endpoint is to go
 * on with (`canContinue` tells whether it does). Greedy, with log-probabilities. Rejects with UNSUPPORTED when there are
 * none.
 */
export function createContinuation(
  parts: ContinuationParts,
): (...asked: Parameters<ContinueText>) => Promise<ReportedContinuation> {
  const { http, model, messages, top } = parts
  const last = messages.at(-1)
  const turns = last?.role === 'assistant' ? messages.slice(0, -1) : messages
  const prefix = last?.role === 'assistant' ? last.content : ''
  return async (text, tokens, signal) => {
    const content = prefix + text
    const body = {
      model: model.id,
      messages: content ? [...turns, { role: 'assistant', content }] : turns,
      temperature: 0,
      max_tokens: tokens,
      logprobs: true,
      top_logprobs: top,
      ...(content ? continuing(model) : {}),
    }
    return readContinuation(await http.json('/chat/completions', body, signal))
  }
}

/** vLLM closes a last assistant message unless it is told to continue it. */
export const continuing = (model: ListedModel): object =>
  model.ownedBy === 'vllm' ? { add_generation_prompt: false, continue_final_message: true } : {}

function readContinuation(value: unknown): ReportedContinuation {
  const parsed = CompletionSchema.safeParse(value)
  const choice = parsed.data?.choices[0]
  if (!choice) throw new ModelNetError('PROTOCOL_ERROR', 'the endpoint answered with no chat completion')
  const content = choice.logprobs?.content ?? []
  const ended = choice.finish_reason !== 'length' && !content.some(isEnd)
  const steps: Continuation['steps'][number][] = []
  for (const reported of content) {
    if (!reported.top_logprobs || reported.top_logprobs.length === 0) throw withoutLogprobs()
    steps.push({
      distribution: toDistribution(reported.top_logprobs),
      chosen: isEnd(reported) ? new Uint8Array() : (bytesOf(reported) ?? new Uint8Array()),
    })
    // The text of a token that is half a character may not be told: then nothing is known of what follows it.
    if (isEnd(reported) || !bytesOf(reported)) break
  }
  if (steps.length === 0 && !ended) throw withoutLogprobs()
  const reasoned = Boolean(choice.message?.reasoning_content ?? choice.message?.reasoning)
  return { steps, ended: ended && steps.length === content.length, reasoned }
}

function toDistribution(top: readonly Entry[]): TokenDistribution {
  const masses = new Map<string, { readonly bytes: Uint8Array; mass: number }>()
  let end = 0
  let total = 0
  for (const one of top) {
    const mass = Math.exp(Math.min(0, one.logprob))
    const bytes = bytesOf(one)
    if (isEnd(one)) end += mass
    else if (bytes) {
      const key = bytes.join()
      masses.set(key, { bytes, mass: (masses.get(key)?.mass ?? 0) + mass })
    } else continue // half a character without its bytes: part of the residual
    total += mass
  }
  // Rounded to float32 on the way the reported may sum to a little more than 1.
  const scale = total > 1 ? 1 / total : 1
  const candidates = [...masses.values()]
    .map(({ bytes, mass }): Candidate => ({ bytes, logprob: Math.min(0, Math.log(mass * scale)) }))
    .sort((a, b) => b.logprob - a.logprob)
  return { kind: 'tokens', candidates, end: Math.min(0, Math.log(end * scale)), residual: Math.max(0, 1 - total) }
}

/** Control tokens have no bytes at llama-server and here; vLLM writes them out. */
const isEnd = ({ token, bytes }: Entry): boolean =>
  (bytes ? bytes.length === 0 : token.length === 0) || isEndText(token)

const bytesOf = ({ token, bytes }: Entry): Uint8Array | undefined =>
  bytes ? Uint8Array.from(bytes) : token.includes('\ufffd') ? undefined : new TextEncoder().encode(token)

const withoutLogprobs = (): ModelNetError =>
  new ModelNetError('UNSUPPORTED', 'the endpoint reports no log-probabilities of alternatives')
