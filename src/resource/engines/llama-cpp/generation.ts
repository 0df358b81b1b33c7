import type { LlamaContextSequence, LlamaGrammar, LlamaModel, Token } from 'node-llama-cpp'
import type { GenerateRequest, TokenLogprob } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import type { Random } from '../../../utils/random.ts'
import type { NextOutput, NextWanted } from './evaluation.ts'
import { alignSequence, evaluateTokens } from './evaluation.ts'

/** One sampled token. */
export interface SampledToken {
  readonly token: Token
  /** Present when alternatives were asked for. */
  readonly logprob?: Omit<TokenLogprob, 'bytes'>
}

export interface SamplingOptions extends Pick<GenerateRequest, 'temperature' | 'topP' | 'topLogprobs'> {
  readonly random: Random
  readonly bytesOf: (token: Token) => Uint8Array
  readonly signal: AbortSignal
}

/**
 * Samples tokens after a prompt, end tokens included; the reader stops when it has enough. Log-probabilities are of the
 * untempered, untruncated softmax, whatever the sampling.
 */
export async function* sampleTokens(
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  options: SamplingOptions,
): AsyncGenerator<SampledToken> {
  const { random, signal, temperature = 0, topP = 1, topLogprobs = 0 } = options
  // llama.cpp restarts its sampler with every call, so each token gets a fresh seed from ours.
  const wanted = (): NextWanted => ({
    token: true,
    options: { temperature, topP, topK: 0, minP: 0, seed: Math.floor(random.next() * 0xffffffff) },
    ...(topLogprobs > 0
      ? { logits: { filter: { tokens: [], includeSelected: true, includeTop: topLogprobs } }, totalLogitWeight: true }
      : {}),
  })
  let pending = prompt.slice(await alignSequence(sequence, prompt, 1))
  for (;;) {
    const [next] = await evaluateTokens(sequence, pending, 1, wanted, signal)
    signal.throwIfAborted()
    const token = next?.token
    if (token === undefined || token === null) throw new ModelNetError('ENGINE_FAILED', 'llama.cpp sampled no token')
    yield {
      token,
      ...(topLogprobs > 0 && next ? { logprob: toLogprob(next, token, topLogprobs, options.bytesOf) } : {}),
    }
    pending = [token]
  }
}

/** The same with a grammar: only tokens it allows are sampled, so there are no untruncated log-probabilities. */
export async function* sampleWithGrammar(
  model: LlamaModel,
  grammar: LlamaGrammar,
  sequence: LlamaContextSequence,
  prompt: readonly Token[],
  options: SamplingOptions,
): AsyncGenerator<SampledToken> {
  const { random, signal, temperature = 0, topP = 1 } = options
  const { LlamaGrammarEvaluationState } = await import('node-llama-cpp')
  const held = await alignSequence(sequence, prompt, 1)
  const tokens = sequence.evaluate(prompt.slice(held), {
    temperature,
    topP,
    topK: 0,
    minP: 0,
    seed: Math.floor(random.next() * 0xffffffff),
    grammarEvaluationState: new LlamaGrammarEvaluationState({ model, grammar }),
    yieldEogToken: true,
  })
  for await (const token of tokens) {
    signal.throwIfAborted()
    yield { token }
  }
}

function toLogprob(
  next: NextOutput,
  chosen: Token,
  count: number,
  bytesOf: (token: Token) => Uint8Array,
): Omit<TokenLogprob, 'bytes'> {
  const logits = next.logits ?? new Map<Token, number>()
  const max: number = logits.values().next().value ?? 0
  const normal = max + Math.log(next.totalLogitWeight ?? 1)
  const top = [...logits].slice(0, count).map(([token, logit]) => ({ bytes: bytesOf(token), logprob: logit - normal }))
  return { logprob: (logits.get(chosen) ?? Number.NEGATIVE_INFINITY) - normal, top }
}
