import { ModelNetError } from '../../../utils/errors.ts'
import type { GgufFile, GgufValue } from './gguf-file.ts'

/** Tokens of a model as bytes, read from the metadata: the engine's own texts are cleaned and cannot be trusted here. */
export interface Vocabulary {
  /** `gpt2` (byte-level BPE), `llama` (SentencePiece), … as the file names it. */
  readonly kind: string
  /** Bytes of each token id; null for what is not text. */
  readonly bytes: readonly (Uint8Array | null)[]
  /** Texts of the control tokens, as a template writes them. */
  readonly controls: ReadonlyMap<string, number>
}

/** `llama_token_type`: what a token is for. */
const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** Rejects with INVALID_MODEL_FILE when the file has no vocabulary. */
export function readVocabulary(file: GgufFile): Vocabulary {
  const kind = file.metadata.get('tokenizer.ggml.model')
  const texts = file.metadata.get('tokenizer.ggml.tokens')
  const types = file.metadata.get('tokenizer.ggml.token_type')
  if (typeof kind !== 'string' || !isTexts(texts))
    throw new ModelNetError('INVALID_MODEL_FILE', `${file.path} has no vocabulary in its metadata`)
  const typeOf = (id: number): unknown => (Array.isArray(types) ? types[id] : TYPE.normal)
  const toBytes = kind === 'gpt2' ? fromByteLevel : fromSentencePiece
  const controls = new Map<string, number>()
  const bytes = texts.map((text, id) => {
    const type = typeOf(id)
    if (type === TYPE.control) controls.set(text, id)
    if (type === TYPE.control || type === TYPE.unused || type === TYPE.unknown) return null
    if (type === TYPE.userDefined) return encoder.encode(text)
    if (type === TYPE.byte) return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16))
    const value = toBytes(text)
    return value.length > 0 ? value : null
  })
  return { kind, bytes, controls }
}

const encoder = new TextEncoder()

const isTexts = (value: GgufValue | undefined): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every(text => typeof text === 'string')

/** SentencePiece writes a space as U+2581. */
const fromSentencePiece = (text: string): Uint8Array => encoder.encode(text.replaceAll('\u2581', ' '))

/** Byte-level BPE writes each byte as a printable character (GPT-2 `bytes_to_unicode`). */
function fromByteLevel(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const byte = BYTE_LEVEL.get(character)
    // An added token outside the alphabet is plain text.
    if (byte === undefined) bytes.push(...encoder.encode(character))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

const BYTE_LEVEL: ReadonlyMap<string, number> = byteLevelAlphabet()

/** The 256 characters of byte-level BPE: printable Latin-1 stands for itself, the others follow from U+0100. */
function byteLevelAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>()
  let next = 256
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    alphabet.set(String.fromCharCode(printable ? byte : next++), byte)
  }
  return alphabet
}
