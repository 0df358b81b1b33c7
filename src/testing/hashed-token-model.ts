import type { TokenEvaluation, TokenModel, TokenScores } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import { hash32 } from '../utils/random.ts'

export interface HashedTokenModelOptions {
  /** Text of each token; single characters should be among them so that any text of the alphabet can be spelled. */
  readonly tokens: readonly string[]
  /** Models of one seed share their taste: what they think of a token after a text. @default 0 */
  readonly seed?: number
  /** How strong the shared taste is, in nats. @default 4 */
  readonly sharpness?: number
  /** How strong the own taste is, in nats: it depends on the vocabulary and on the tokens of the context. @default 1 */
  readonly noise?: number
  /** Log-odds added to the end of the text. @default 0 */
  readonly end?: number
  readonly contextLength?: number
}

/** A model without weights whose next-token probabilities are a hash of its context: exact, deterministic, any vocabulary. */
export interface HashedTokenModel extends TokenModel {
  /** Natural log-probabilities after a context of token ids. */
  logprobs(context: readonly number[]): Float64Array
  /** Token ids of a prompt; any text. */
  prompt(text: string): readonly number[]
  /** Tokens evaluated so far, all sequences together. */
  readonly evaluated: number
}

/** How many last bytes of the text the shared taste depends on, and how many last tokens the own taste. */
const TEXT_ORDER = 3
const TOKEN_ORDER = 2

export function createHashedTokenModel(options: HashedTokenModelOptions): HashedTokenModel {
  const { tokens, seed = 0, sharpness = 4, noise = 1, end = 0, contextLength = 4096 } = options
  const vocabulary = [...tokens.map(token => new TextEncoder().encode(token)), null]
  const endToken = tokens.length
  const own = hash32(tokens.join('\n'), seed)
  let evaluated = 0

  const tastes = vocabulary.map(bytes => hash32(bytes?.join() ?? 'end'))

  function logprobs(context: readonly number[]): Float64Array {
    const ids = hash32(context.slice(-TOKEN_ORDER).join(), own)
    const last = context.slice(-2 * TEXT_ORDER).flatMap(id => [...(vocabulary[id] ?? [])])
    const text = hash32(last.slice(-TEXT_ORDER).join(), hash32(`${seed}`))
    const scores = Float64Array.from(
      tastes,
      (taste, id) => sharpness * unit(text, taste) + noise * unit(ids, id) + (id === endToken ? end : 0),
    )
    const normal = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0))
    return scores.map(score => score - normal)
  }

  const toScores = (context: readonly number[], top: number | undefined): TokenScores => {
    const all = logprobs(context)
    if (top === undefined) return { kind: 'full', logprobs: all }
    const best = Array.from(all.keys()).sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0))
    const ids = [...new Set([...best.slice(0, top), endToken])]
    return { kind: 'top', tokens: ids, logprobs: ids.map(id => all[id] ?? 0) }
  }

  return {
    vocabulary,
    endTokens: new Set([endToken]),
    contextLength,
    logprobs,
    get evaluated() {
      return evaluated
    },
    tokenize: bytes => longestMatch(vocabulary, bytes),
    prompt: text => longestMatch(vocabulary, new TextEncoder().encode(text)),
    async openSequence({ scores }) {
      const top = scores.kind === 'top' ? scores.count : undefined
      let held: readonly number[] = []
      return {
        get length() {
          return held.length
        },
        async evaluate({ keep, runs }: TokenEvaluation, signal?: AbortSignal) {
          signal?.throwIfAborted()
          if (keep > held.length)
            throw new ModelNetError('INTERNAL', `${keep} tokens were to be kept of ${held.length}`)
          const base = held.slice(0, keep)
          return runs.map(run => {
            held = [...base, ...run.tokens]
            evaluated += run.tokens.length
            if (held.length > contextLength) throw new ModelNetError('CONTEXT_OVERFLOW', 'the context is full')
            const first = held.length - run.scored + 1
            return Array.from({ length: run.scored }, (_, index) => toScores(held.slice(0, first + index), top))
          })
        },
        async close() {
          held = []
        },
      }
    },
  }
}

/** Uniform in [0, 1), from two hashes (finaliser of MurmurHash3). */
function unit(one: number, other: number): number {
  let hash = one ^ Math.imul(other, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296
}

function longestMatch(vocabulary: readonly (Uint8Array | null)[], bytes: Uint8Array): number[] {
  const ids: number[] = []
  for (let at = 0; at < bytes.length; ) {
    let best = -1
    let length = 0
    for (const [id, token] of vocabulary.entries())
      if (token && token.length > length && Buffer.compare(token, bytes.subarray(at, at + token.length)) === 0) {
        best = id
        length = token.length
      }
    if (best < 0) throw new ModelNetError('UNSUPPORTED', `no token begins at byte ${at}`)
    ids.push(best)
    at += length
  }
  return ids
}
