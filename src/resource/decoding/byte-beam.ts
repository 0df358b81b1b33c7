import { END } from '../../protocol/index.ts'
import { type ByteTrie, childOf, prefixOf } from './byte-trie.ts'
import type { ContextNode } from './context-tree.ts'
import type { FullScores, TokenModel } from './token-model.ts'

/** Scores after a context, by token and by byte prefix; text and ends only, so that they sum to 1. */
export interface ByteScores {
  /** Probability of each token id. */
  readonly tokens: Float64Array
  /** Probability that the next token begins with the prefix at each node of the tree. */
  readonly masses: Float64Array
  readonly end: number
}

/** One way to read the text so far: whole tokens, then a byte prefix of the next one. */
export interface BeamState {
  readonly context: ContextNode<ByteScores>
  /** Node of the byte tree. */
  readonly node: number
  /** Share of all readings of this text, 0..1. */
  readonly weight: number
}

/** Readings whose token ends here and that wait for an evaluation of the next one, heaviest last. */
export type Ending = BeamState

// No token is impossible under a softmax; the floor keeps every division below defined where exp() underflows.
const SMALLEST_PROBABILITY = 1e-100

/** Turns the scores of a model into masses by byte prefix: one pass from the leaves of the tree up. */
export function toByteScores(trie: ByteTrie, model: TokenModel, { logprobs }: FullScores): ByteScores {
  const tokens = new Float64Array(logprobs.length)
  let end = 0
  let total = 0
  for (const id of model.endTokens) end += Math.exp(logprobs[id] ?? Number.NEGATIVE_INFINITY)
  for (const id of trie.tokens) {
    const probability = Math.max(Math.exp(logprobs[id] ?? 0), SMALLEST_PROBABILITY)
    tokens[id] = probability
    total += probability
  }
  const scale = 1 / (total + end)
  const masses = new Float64Array(trie.size)
  for (let node = trie.size - 1; node >= 0; node--) {
    let own = masses[node] ?? 0
    const last = trie.firstToken[node + 1] ?? 0
    for (let index = trie.firstToken[node] ?? 0; index < last; index++) {
      const id = trie.tokens[index] ?? 0
      const probability = (tokens[id] ?? 0) * scale
      tokens[id] = probability
      own += probability
    }
    masses[node] = own
    if (node > 0) {
      const parent = trie.parent[node] ?? 0
      masses[parent] = (masses[parent] ?? 0) + own
    }
  }
  return { tokens, masses, end: end * scale }
}

/** The readings of these whose next token is complete: each becomes a reading that begins a new token. */
export function endingsOf(
  trie: ByteTrie,
  states: readonly BeamState[],
  child: (context: ContextNode<ByteScores>, token: number) => ContextNode<ByteScores>,
): Ending[] {
  const endings: Ending[] = []
  for (const { context, node, weight } of states) {
    if (node === 0) continue
    const last = trie.firstToken[node + 1] ?? 0
    for (let index = trie.firstToken[node] ?? 0; index < last; index++) {
      const token = trie.tokens[index] ?? 0
      const { tokens, masses } = scoresOf(context)
      const share = (weight * (tokens[token] ?? 0)) / (masses[node] ?? 1)
      endings.push({ context: child(context, token), node: 0, weight: share })
    }
  }
  return endings.sort((a, b) => a.weight - b.weight)
}

/** The distribution of the next byte over readings, whose endings are among them (spec A4 `dist`). */
export function byteDistribution(trie: ByteTrie, states: readonly BeamState[]): Float64Array {
  const out = new Float64Array(END + 1)
  for (const { context, node, weight } of states) {
    const { masses, end } = scoresOf(context)
    const factor = node === 0 ? weight : weight / (masses[node] ?? 1)
    if (node === 0) out[END] = (out[END] ?? 0) + weight * end
    const first = trie.firstChild[node] ?? 0
    const last = first + (trie.childCount[node] ?? 0)
    for (let child = first; child < last; child++) {
      const byte = trie.byte[child] ?? 0
      out[byte] = (out[byte] ?? 0) + factor * (masses[child] ?? 0)
    }
  }
  let total = 0
  for (const probability of out) total += probability
  for (let index = 0; index < out.length; index++) out[index] = (out[index] ?? 0) / total
  return out
}

/**
 * The readings that go on with this byte, heaviest first, at most `width` of them, their weights not yet made to sum
 * to 1: the sum is the probability of the byte.
 */
export function narrow(trie: ByteTrie, states: readonly BeamState[], byte: number, width: number): BeamState[] {
  const next: BeamState[] = []
  for (const { context, node, weight } of states) {
    const child = childOf(trie, node, byte)
    if (child < 0) continue
    const { masses } = scoresOf(context)
    const total = node === 0 ? 1 : (masses[node] ?? 1)
    next.push({ context, node: child, weight: (weight * (masses[child] ?? 0)) / total })
  }
  if (next.length > 1) next.sort((a, b) => b.weight - a.weight)
  return next.length > width ? next.slice(0, width) : next
}

export function totalWeight(states: readonly BeamState[]): number {
  let sum = 0
  for (const { weight } of states) sum += weight
  return sum
}

export function normalised(states: readonly BeamState[]): readonly BeamState[] {
  const sum = totalWeight(states)
  return states.map(state => ({ ...state, weight: state.weight / sum }))
}

/** The bytes of the token in progress. */
export const pendingBytes = (trie: ByteTrie, { node }: BeamState): Uint8Array => prefixOf(trie, node)

function scoresOf(context: ContextNode<ByteScores>): ByteScores {
  if (!context.scores) throw new Error('the context was not evaluated')
  return context.scores
}
