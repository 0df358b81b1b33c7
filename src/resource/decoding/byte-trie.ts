import type { TokenModel } from './token-model.ts'

/**
 * The vocabulary of a model as a prefix tree in typed arrays, nodes in breadth-first order (children of a node are
 * neighbours, a child's index is larger than its parent's). Node 0 is the empty prefix.
 */
export interface ByteTrie {
  readonly size: number
  readonly parent: Int32Array
  /** The byte that leads from the parent here. */
  readonly byte: Uint8Array
  readonly firstChild: Int32Array
  readonly childCount: Int32Array
  /** Tokens whose bytes end exactly at node n: `tokens[firstToken[n] .. firstToken[n + 1])`. */
  readonly firstToken: Int32Array
  readonly tokens: Int32Array
}

/** The tree of the model's vocabulary; built once per vocabulary. */
export function byteTrie(model: TokenModel): ByteTrie {
  let trie = tries.get(model.vocabulary)
  if (!trie) {
    trie = buildByteTrie(model.vocabulary, model.endTokens)
    tries.set(model.vocabulary, trie)
  }
  return trie
}

/** Keyed by the array itself, which lives as long as its model: a table, not state. */
const tries = new WeakMap<readonly (Uint8Array | null)[], ByteTrie>()

function buildByteTrie(vocabulary: readonly (Uint8Array | null)[], endTokens: ReadonlySet<number>): ByteTrie {
  const spelled: { readonly id: number; readonly bytes: Uint8Array }[] = []
  for (const [id, bytes] of vocabulary.entries())
    if (bytes && bytes.length > 0 && !endTokens.has(id)) spelled.push({ id, bytes })
  spelled.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id)

  const parent = [0]
  const byte = [0]
  const firstChild: number[] = []
  const childCount: number[] = []
  const firstToken: number[] = []
  const tokens: number[] = []
  // Each queued range shares a prefix of `depth` bytes; shorter tokens sort first, so those that end here lead the range.
  const queue = [{ from: 0, to: spelled.length, depth: 0 }]
  for (let node = 0; node < queue.length; node++) {
    const { from, to, depth } = queue[node] ?? { from: 0, to: 0, depth: 0 }
    firstToken.push(tokens.length)
    let at = from
    for (; at < to && spelled[at]?.bytes.length === depth; at++) tokens.push(spelled[at]?.id ?? 0)
    firstChild.push(queue.length)
    while (at < to) {
      const value = spelled[at]?.bytes[depth] ?? 0
      let end = at + 1
      while (end < to && spelled[end]?.bytes[depth] === value) end++
      queue.push({ from: at, to: end, depth: depth + 1 })
      parent.push(node)
      byte.push(value)
      at = end
    }
    childCount.push(queue.length - (firstChild.at(-1) ?? 0))
  }
  firstToken.push(tokens.length)
  return {
    size: queue.length,
    parent: Int32Array.from(parent),
    byte: Uint8Array.from(byte),
    firstChild: Int32Array.from(firstChild),
    childCount: Int32Array.from(childCount),
    firstToken: Int32Array.from(firstToken),
    tokens: Int32Array.from(tokens),
  }
}

/** The child of a node by a byte, or -1: binary search among neighbours. */
export function childOf(trie: ByteTrie, node: number, byte: number): number {
  let low = trie.firstChild[node] ?? 0
  let high = low + (trie.childCount[node] ?? 0) - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const value = trie.byte[middle] ?? 0
    if (value === byte) return middle
    if (value < byte) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** The bytes that lead to a node. */
export function prefixOf(trie: ByteTrie, node: number): Uint8Array {
  const bytes: number[] = []
  for (let at = node; at !== 0; at = trie.parent[at] ?? 0) bytes.push(trie.byte[at] ?? 0)
  return Uint8Array.from(bytes.reverse())
}
