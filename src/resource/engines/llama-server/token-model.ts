import { ModelNetError } from '../../../utils/errors.ts'
import type { ScoresWanted, TokenModel, TokenScores, TokenSequence } from '../../decoding/token-model.ts'
import type { HttpClient } from '../../http-client.ts'
import { createLongestMatch } from '../../longest-match.ts'
import type { TokenProbability } from './protocol.ts'
import { readCompletion } from './protocol.ts'
import type { ServerSlots } from './slots.ts'
import { noSlot } from './slots.ts'

export interface ServerTokenModelParts {
  readonly http: HttpClient
  readonly slots: ServerSlots
  readonly slotCount: number
  readonly vocabularySize: number
  readonly contextLength: number
  readonly endTokens: ReadonlySet<number>
}

/** The most probable tokens after a text of token ids; only what the slot does not hold is evaluated. */
async function probabilitiesAfter(
  http: HttpClient,
  prompt: readonly number[],
  count: number,
  endToken: number,
  slot: number,
  signal?: AbortSignal,
): Promise<readonly TokenProbability[]> {
  const body = {
    prompt,
    n_predict: 1,
    n_probs: count,
    temperature: 0,
    cache_prompt: true,
    // A sampled token that ends in half a character is reported without probabilities, so the end is made to be sampled;
    // the probabilities are those before any bias.
    logit_bias: [[endToken, 1e6]],
    id_slot: slot,
  }
  const completion = readCompletion(await http.json('/completion', body, signal))
  const top = completion.completion_probabilities?.[0]?.top_logprobs
  if (!top || top.length === 0) throw new ModelNetError('PROTOCOL_ERROR', 'llama-server reported no probabilities')
  return top
}

/**
 * What llama-server gives to decode sessions: its pre-sampling log-probabilities, one request for each position. Its
 * vocabulary comes from one distribution over all of it. Text is put into tokens by longest match here, since the
 * server's tokenizer is a request away.
 */
export async function createServerTokenModel(parts: ServerTokenModelParts, signal?: AbortSignal): Promise<TokenModel> {
  const { http, slots, slotCount, vocabularySize, contextLength, endTokens } = parts
  const [endToken = 0] = endTokens
  const slot = await slots.take(signal)
  const vocabulary: (Uint8Array | null)[] = new Array(vocabularySize).fill(null)
  try {
    for (const { id, bytes } of await probabilitiesAfter(http, [endToken], vocabularySize, endToken, slot, signal))
      if (id < vocabularySize && bytes.length > 0 && !endTokens.has(id)) vocabulary[id] = Uint8Array.from(bytes)
  } finally {
    slots.release(slot)
  }
  return {
    vocabulary,
    endTokens,
    contextLength,
    tokenize: createLongestMatch(vocabulary),
    async openSequence({ scores }) {
      const own = slots.tryTake()
      if (own === undefined) throw noSlot(slotCount)
      return createServerSequence(parts, own, scores)
    },
  }
}

function createServerSequence(parts: ServerTokenModelParts, slot: number, scores: ScoresWanted): TokenSequence {
  const { http, slots, vocabularySize, contextLength } = parts
  const [endToken = 0] = parts.endTokens
  const count = scores.kind === 'full' ? vocabularySize : scores.count
  let held: readonly number[] = []
  let closed = false
  return {
    get length() {
      return held.length
    },
    async evaluate({ keep, runs }, signal) {
      const kept = held.slice(0, keep)
      const answers: TokenScores[][] = []
      for (const { tokens, scored } of runs) {
        const text = [...kept, ...tokens]
        // One token is predicted after the text, which takes a place as well.
        if (text.length >= contextLength)
          throw new ModelNetError(
            'CONTEXT_OVERFLOW',
            `${text.length} tokens do not fit the context of ${contextLength}`,
          )
        const answer: TokenScores[] = []
        for (let length = text.length - scored + 1; length <= text.length; length++) {
          const top = await probabilitiesAfter(http, text.slice(0, length), count, endToken, slot, signal)
          answer.push(scores.kind === 'full' ? toFull(top, vocabularySize) : toTop(top))
        }
        answers.push(answer)
        held = text
      }
      return answers
    },
    async close() {
      if (closed) return
      closed = true
      slots.release(slot)
    },
  }
}

function toFull(top: readonly TokenProbability[], vocabularySize: number): TokenScores {
  const logprobs = new Float64Array(vocabularySize).fill(Number.NEGATIVE_INFINITY)
  let sum = 0
  for (const { id, logprob } of top) {
    if (logprob === null || id >= vocabularySize) continue
    logprobs[id] = logprob
    sum += Math.exp(logprob)
  }
  const normal = Math.log(sum)
  for (let id = 0; id < vocabularySize; id++) logprobs[id] = (logprobs[id] ?? 0) - normal
  return { kind: 'full', logprobs }
}

const toTop = (top: readonly TokenProbability[]): TokenScores => ({
  kind: 'top',
  tokens: top.map(({ id }) => id),
  logprobs: top.map(({ logprob }) => logprob ?? Number.NEGATIVE_INFINITY),
})
