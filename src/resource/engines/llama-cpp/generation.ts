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
  // After its own sampling llama.cpp reports truncated, tempered logits. So it samples itself where none are asked for
  // (whole vocabularies are slow to hand over), is greedy where the best are, and we sample where both are wanted.
  const samplesHere = topLogprobs > 0 && temperature > 0
  const wanted = (): NextWanted => {
    if (samplesHere) return { logits: true, totalLogitWeight: true }
    if (topLogprobs > 0) return { logits: { filter: { tokens: [], includeTop: topLogprobs } }, totalLogitWeight: true }
    // llama.cpp restarts its sampler with every call, so each token gets a fresh seed from ours.
    const seed = Math.floor(random.next() * 0xffffffff)
    return { token: true, options: { temperature, topP, topK: 0, minP: 0, seed } }
  }
  let pending = prompt.slice(await alignSequence(sequence, prompt, 1))
  for (;;) {
    const [next] = await evaluateTokens(sequence, pending, 1, wanted, signal)
    signal.throwIfAborted()
    const token = next?.token ?? drawToken(next?.logits ?? new Map(), temperature, topP, random)
    if (token === undefined) throw new ModelNetError('ENGINE_FAILED', 'llama.cpp sampled no token')
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
  const { LlamaGrammarEvaluationState } = await import('./library.ts')
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

/** Top-p on the untempered distribution, then temperature: the order of llama.cpp. Logits are sorted, best first. */
function drawToken(
  logits: ReadonlyMap<Token, number>,
  temperature: number,
  topP: number,
  random: Random,
): Token | undefined {
  const [best] = logits.keys()
  if (temperature === 0 || best === undefined) return best
  const max: number = logits.get(best) ?? 0
  let mass = 0
  for (const logit of logits.values()) mass += Math.exp(logit - max)
  const kept: [token: Token, weight: number][] = []
  let cumulative = 0
  let total = 0
  for (const [token, logit] of logits) {
    const weight = Math.exp((logit - max) / temperature)
    kept.push([token, weight])
    total += weight
    cumulative += Math.exp(logit - max) / mass
    if (cumulative >= topP) break
  }
  let left = random.next() * total
  for (const [token, weight] of kept) {
    left -= weight
    if (left <= 0) return token
  }
  return best
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
