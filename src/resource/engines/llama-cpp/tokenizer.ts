import type { LlamaModel, Token } from 'node-llama-cpp'
import { createLongestMatch } from '../../longest-match.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Text to tokens of one model. */
export interface Tokenizer {
  /** A rendered prompt, in the pieces of its template: control tokens are recognised, BOS is put in front where due. */
  prompt(pieces: readonly string[]): readonly Token[]
  /** Text of a template in the middle of a prompt: control tokens are recognised, nothing is put in front. */
  template(text: string): readonly Token[]
  /** Text in the middle of an answer: any bytes, no BOS, no dummy space, no control tokens. Throws UNSUPPORTED. */
  inside(bytes: Uint8Array): readonly Token[]
}

export function createTokenizer(model: LlamaModel, vocabulary: Vocabulary): Tokenizer {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const bos = model.tokens.shouldPrependBosToken ? model.tokens.bos : null
  let longestMatch: ReturnType<typeof createLongestMatch> | undefined

  const spells = (tokens: readonly Token[], bytes: Uint8Array): boolean => {
    let at = 0
    for (const token of tokens) {
      const part = vocabulary.bytes[token]
      if (!part) return false
      for (const byte of part) if (byte !== bytes[at++]) return false
    }
    return at === bytes.length
  }
  const spell = (bytes: Uint8Array): readonly Token[] => {
    longestMatch ??= createLongestMatch(vocabulary.bytes)
    return longestMatch(bytes) as readonly Token[] // ids of this vocabulary
  }

  const template = (text: string): readonly Token[] => model.tokenize(text, true, 'trimLeadingSpace')
  return {
    template,
    prompt(pieces) {
      const tokens = pieces.flatMap((piece, index) => (index === 0 ? model.tokenize(piece, true) : template(piece)))
      return bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens
    },
    inside(bytes) {
      if (bytes.length === 0) return []
      let text: string
      try {
        text = decoder.decode(bytes)
      } catch {
        return spell(bytes) // half a character: only the vocabulary can spell it
      }
      const tokens = model.tokenize(text, false)
      if (spells(tokens, bytes)) return tokens
      const trimmed = model.tokenize(text, false, 'trimLeadingSpace')
      return spells(trimmed, bytes) ? trimmed : spell(bytes)
    },
  }
}
