import { writeFile } from 'node:fs/promises'
import { createRandom } from '../utils/random.ts'

export interface TinyModelOptions {
  /** `bpe`: byte-level BPE; `spm`: SentencePiece with byte fallback. @default 'bpe' */
  readonly tokenizer?: 'bpe' | 'spm'
  /** @default 1 */
  readonly seed?: number
  /** Tokens. @default 256 */
  readonly contextLength?: number
  /** Jinja source. @default turns of user and assistant, no system */
  readonly template?: string
}

const WIDTH = 32
const LAYERS = 2
const HEADS = 2
const HIDDEN = 64
const CONTROLS = ['<|bos|>', '<|q|>', '<|a|>', '<|end|>'] as const
const WORDS = [
  'th',
  'he',
  'the',
  'in',
  'er',
  'an',
  're',
  'on',
  'at',
  'en',
  'ing',
  'and',
  '12',
  '23',
  '\u00e9',
  '\u4f60\u597d',
]
const TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|q|>' + message['content'] + '<|a|>' }}" +
  "{% elif message['role'] == 'assistant' %}{{ message['content'] + '<|end|>' }}{% endif %}{% endfor %}"

/**
 * Writes a GGUF model of 110 kB with random weights: it says nothing of sense, but llama.cpp runs it, so everything
 * around a model can be tested where no weights are. The same options give the same file.
 */
export async function writeTinyModel(path: string, options: TinyModelOptions = {}): Promise<void> {
  await writeFile(path, createTinyModel(options))
}

/** The bytes of such a file. */
export function createTinyModel(options: TinyModelOptions = {}): Uint8Array {
  const { tokenizer = 'bpe', seed = 1, contextLength = 256, template = TEMPLATE } = options
  const vocabulary = tokenizer === 'bpe' ? bpeVocabulary() : spmVocabulary()
  const control = (text: (typeof CONTROLS)[number]): number => vocabulary.tokens.indexOf(text)
  const metadata: readonly (readonly [string, Value])[] = [
    ['general.architecture', text('llama')],
    ['general.name', text(`tiny-${tokenizer}`)],
    ['general.alignment', u32(32)],
    ['general.file_type', u32(0)],
    ['llama.context_length', u32(contextLength)],
    ['llama.embedding_length', u32(WIDTH)],
    ['llama.block_count', u32(LAYERS)],
    ['llama.feed_forward_length', u32(HIDDEN)],
    ['llama.attention.head_count', u32(HEADS)],
    ['llama.attention.head_count_kv', u32(HEADS)],
    ['llama.attention.layer_norm_rms_epsilon', f32(1e-5)],
    ['llama.rope.dimension_count', u32(WIDTH / HEADS)],
    ['llama.vocab_size', u32(vocabulary.tokens.length)],
    ['tokenizer.ggml.model', text(tokenizer === 'bpe' ? 'gpt2' : 'llama')],
    ['tokenizer.ggml.pre', text(tokenizer === 'bpe' ? 'qwen2' : 'default')],
    ['tokenizer.ggml.tokens', list(8, vocabulary.tokens.map(text))],
    ['tokenizer.ggml.token_type', list(5, vocabulary.types.map(i32))],
    ['tokenizer.ggml.scores', list(6, vocabulary.scores.map(f32))],
    ...(tokenizer === 'bpe' ? [['tokenizer.ggml.merges', list(8, vocabulary.merges.map(text))] as const] : []),
    ['tokenizer.ggml.bos_token_id', u32(control('<|bos|>'))],
    ['tokenizer.ggml.eos_token_id', u32(control('<|end|>'))],
    ['tokenizer.ggml.eot_token_id', u32(control('<|end|>'))],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_space_prefix', bool(false)],
    ['tokenizer.chat_template', text(template)],
  ]
  return assemble(metadata, randomTensors(vocabulary.tokens.length, seed))
}

interface TinyVocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
  readonly scores: readonly number[]
  readonly merges: readonly string[]
}

/** `llama_token_type` */
const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const BYTE = 6

function bpeVocabulary(): TinyVocabulary {
  const letters: string[] = []
  for (let byte = 0, next = 256; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    letters.push(String.fromCharCode(printable ? byte : next++))
  }
  const spelled = (word: string): string => [...new TextEncoder().encode(word)].map(byte => letters[byte]).join('')
  const tokens = [...letters]
  const merges: string[] = []
  for (const word of WORDS.map(spelled)) {
    // Left to right: the longest beginning that is a token already, then one letter after the other.
    let left = word[0] ?? ''
    for (const letter of word.slice(1)) {
      if (!tokens.includes(left + letter)) {
        merges.push(`${left} ${letter}`)
        tokens.push(left + letter)
      }
      left += letter
    }
  }
  return withControls(
    tokens,
    tokens.map(() => NORMAL),
    merges,
  )
}

function spmVocabulary(): TinyVocabulary {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const letters = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))
  const words = [...WORDS, ...WORDS.slice(0, 8).map(word => `\u2581${word}`)]
  const tokens = ['<unk>', ...bytes, '\u2581', ...letters, ...words]
  const types = tokens.map((_, id) => (id === 0 ? UNKNOWN : id <= 256 ? BYTE : NORMAL))
  return withControls(tokens, types, [])
}

function withControls(tokens: readonly string[], types: readonly number[], merges: readonly string[]): TinyVocabulary {
  const all = [...tokens, ...CONTROLS]
  return {
    tokens: all,
    types: [...types, ...CONTROLS.map(() => CONTROL)],
    // SentencePiece merges the pair with the highest score first: longer pieces before shorter ones.
    scores: all.map((token, id) => (types[id] === NORMAL ? token.length - 100 : -1000)),
    merges,
  }
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

function randomTensors(vocabularySize: number, seed: number): readonly Tensor[] {
  const random = createRandom(seed)
  const tensor = (name: string, shape: readonly number[], scale: number): Tensor => {
    const source = random.fork(name)
    const size = shape.reduce((product, length) => product * length, 1)
    // The sum of three uniform numbers is near enough to a normal one.
    const next = (): number => source.next() + source.next() + source.next() - 1.5
    return { name, shape, values: Float32Array.from({ length: size }, () => next() * 2 * scale) }
  }
  const ones = (name: string): Tensor => ({ name, shape: [WIDTH], values: new Float32Array(WIDTH).fill(1) })
  const layer = (index: number): readonly Tensor[] => [
    ones(`blk.${index}.attn_norm.weight`),
    ...['attn_q', 'attn_k', 'attn_v', 'attn_output'].map(name =>
      tensor(`blk.${index}.${name}.weight`, [WIDTH, WIDTH], 0.4),
    ),
    ones(`blk.${index}.ffn_norm.weight`),
    tensor(`blk.${index}.ffn_gate.weight`, [WIDTH, HIDDEN], 0.4),
    tensor(`blk.${index}.ffn_up.weight`, [WIDTH, HIDDEN], 0.4),
    tensor(`blk.${index}.ffn_down.weight`, [HIDDEN, WIDTH], 0.4),
  ]
  return [
    tensor('token_embd.weight', [WIDTH, vocabularySize], 0.5),
    ...Array.from({ length: LAYERS }, (_, index) => layer(index)).flat(),
    ones('output_norm.weight'),
  ]
}

/** A metadata value: its type number and its bytes. */
interface Value {
  readonly type: number
  readonly bytes: Uint8Array
}

const number = (type: number, size: number, write: (view: DataView) => void): Value => {
  const bytes = new Uint8Array(size)
  write(new DataView(bytes.buffer))
  return { type, bytes }
}
const u32 = (value: number): Value => number(4, 4, view => view.setUint32(0, value, true))
const i32 = (value: number): Value => number(5, 4, view => view.setInt32(0, value, true))
const f32 = (value: number): Value => number(6, 4, view => view.setFloat32(0, value, true))
const u64 = (value: number): Value => number(10, 8, view => view.setBigUint64(0, BigInt(value), true))
const bool = (value: boolean): Value => number(7, 1, view => view.setUint8(0, value ? 1 : 0))
const text = (value: string): Value => {
  const bytes = new TextEncoder().encode(value)
  return { type: 8, bytes: Buffer.concat([u64(bytes.length).bytes, bytes]) }
}
const list = (type: number, values: readonly Value[]): Value => ({
  type: 9,
  bytes: Buffer.concat([u32(type).bytes, u64(values.length).bytes, ...values.map(value => value.bytes)]),
})

/** GGUF version 3: header, metadata, tensor list, padding, tensor data (every tensor here is a multiple of 32 bytes). */
function assemble(metadata: readonly (readonly [string, Value])[], tensors: readonly Tensor[]): Uint8Array {
  const head: Uint8Array[] = [
    Buffer.from('GGUF'),
    u32(3).bytes,
    u64(tensors.length).bytes,
    u64(metadata.length).bytes,
    ...metadata.flatMap(([key, value]) => [text(key).bytes, u32(value.type).bytes, value.bytes]),
  ]
  let offset = 0
  for (const { name, shape, values } of tensors) {
    head.push(text(name).bytes, u32(shape.length).bytes, ...shape.map(length => u64(length).bytes))
    head.push(u32(0).bytes, u64(offset).bytes)
    offset += values.byteLength
  }
  const length = head.reduce((sum, part) => sum + part.length, 0)
  const padding = new Uint8Array((32 - (length % 32)) % 32)
  return Buffer.concat([...head, padding, ...tensors.map(tensor => new Uint8Array(tensor.values.buffer))])
}
