import { ModelNetError } from '../../utils/errors.ts'
import { byteTrie, childOf } from './byte-trie.ts'
import type { TokenModel } from './token-model.ts'

/**
 * Tokens of any bytes: whole UTF-8 text by the model's own tokenizer, bytes that are no whole character (half of one,
 * at the end of a text in progress) by the longest tokens that spell them. Throws UNSUPPORTED when the vocabulary
 * cannot spell a byte.
 */
export function spell(model: TokenModel, bytes: Uint8Array): readonly number[] {
  const tokens: number[] = []
  for (let at = 0; at < bytes.length; ) {
    let end = at
    for (let size = characterSize(bytes, end); size > 0; size = characterSize(bytes, end)) end += size
    if (end > at) tokens.push(...model.tokenize(bytes.subarray(at, end)))
    at = end
    while (at < bytes.length && characterSize(bytes, at) === 0) at += spellPiece(model, bytes, at, tokens)
  }
  return tokens
}

/** Bytes of the whole UTF-8 character that begins here; 0 when there is none. */
export function characterSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first === undefined) return 0
  if (first < 0x80) return 1
  const size =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0
  const second = bytes[at + 1]
  if (size === 0 || second === undefined) return 0
  // Overlong forms, surrogates and code points above U+10FFFF are no characters (RFC 3629, section 4).
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return 0
  for (let index = 2; index < size; index++) {
    const next = bytes[at + index]
    if (next === undefined || next < 0x80 || next > 0xbf) return 0
  }
  return size
}

/** Adds the longest token that spells bytes from here without running into a whole character; returns its length. */
function spellPiece(model: TokenModel, bytes: Uint8Array, at: number, tokens: number[]): number {
  const trie = byteTrie(model)
  let node = 0
  let best = 0
  let token = -1
  for (let end = at; end < bytes.length && (end === at || characterSize(bytes, end) === 0); end++) {
    node = childOf(trie, node, bytes[end] ?? 0)
    if (node < 0) break
    const first = trie.firstToken[node] ?? 0
    if ((trie.firstToken[node + 1] ?? 0) > first) {
      best = end + 1 - at
      token = trie.tokens[first] ?? -1
    }
  }
  if (best === 0)
    throw new ModelNetError('UNSUPPORTED', `the vocabulary has no token for byte 0x${(bytes[at] ?? 0).toString(16)}`)
  tokens.push(token)
  return best
}
