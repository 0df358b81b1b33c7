import { closeSync, openSync, writeSync } from 'node:fs'
import type { GgufValue } from '../../src/resource/engines/llama-cpp/gguf-file.ts'
import { readGgufFile } from '../../src/resource/engines/llama-cpp/gguf-file.ts'
import { createRandom } from '../../src/utils/random.ts'

/** A decoder of Llama's architecture. */
export interface Shape {
  readonly layers: number
  readonly width: number
  readonly inner: number
  readonly heads: number
  /** Heads of keys and values, which several heads of queries share. */
  readonly sharedHeads: number
  readonly contextLength: number
  /** Tokens, at least those of the tokenizer that is lent; the others are marked as unused. */
  readonly vocabulary: number
}

/**
 * An eighth of Llama 3.2 1B: two of its sixteen layers (width 2048, 32 heads on 8 of keys and values, 8192 inside) and
 * an eighth of its 128,256 tokens, so that attention and weights stand in the proportion of the whole model.
 */
export const EIGHTH_OF_LLAMA_1B: Shape = {
  layers: 2,
  width: 2048,
  inner: 8192,
  heads: 32,
  sharedHeads: 8,
  contextLength: 2048,
  vocabulary: 16_032,
}

const UNUSED = 5 // llama_token_type
const GGUF = { alignment: 32, f32: 0, q8: 8, uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const
const Q8_BLOCK = { elements: 32, bytes: 34 } as const
/** 2^-13 as a half float: with whole numbers to +-127 a weight is at most 0.016, as after usual initialisation. */
const Q8_SCALE = 0x0800
const PIECE_BYTES: number = 1 << 20

/**
 * Writes a model with weights that were never trained (Q8_0), with the tokenizer and the chat template of another: for
 * what the work costs, not for what it says. Returns the number of weights.
 */
export async function writeRandomModel(path: string, tokenizerOf: string, shape: Shape): Promise<number> {
  const { metadata } = await readGgufFile(tokenizerOf)
  const tensors = tensorsOf(shape)
  const file = openSync(path, 'w')
  try {
    writeSync(file, headerOf(metadata, shape, tensors))
    for (const { rows, columns } of tensors) writeTensor(file, rows, columns)
  } finally {
    closeSync(file)
  }
  return tensors.reduce((sum, { rows, columns }) => sum + (rows || 1) * columns, 0)
}

interface Tensor {
  readonly name: string
  /** 0 for a vector, which stays in 32 bits. */
  readonly rows: number
  readonly columns: number
}

function tensorsOf({ layers, width, inner, heads, sharedHeads, vocabulary }: Shape): readonly Tensor[] {
  const shared = (width / heads) * sharedHeads
  const layer = (index: number): Tensor[] =>
    (
      [
        ['attn_norm', 0, width],
        ['attn_q', width, width],
        ['attn_k', shared, width],
        ['attn_v', shared, width],
        ['attn_output', width, width],
        ['ffn_norm', 0, width],
        ['ffn_gate', inner, width],
        ['ffn_up', inner, width],
        ['ffn_down', width, inner],
      ] as const
    ).map(([name, rows, columns]) => ({ name: `blk.${index}.${name}.weight`, rows, columns }))
  return [
    { name: 'token_embd.weight', rows: vocabulary, columns: width },
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    { name: 'output_norm.weight', rows: 0, columns: width },
  ]
}

const bytesOf = ({ rows, columns }: Tensor): number =>
  rows === 0 ? 4 * columns : ((rows * columns) / Q8_BLOCK.elements) * Q8_BLOCK.bytes

const padded = (bytes: number): number => Math.ceil(bytes / GGUF.alignment) * GGUF.alignment

function headerOf(own: ReadonlyMap<string, GgufValue>, shape: Shape, tensors: readonly Tensor[]): Buffer {
  const sizes: Readonly<Record<string, number>> = {
    'llama.context_length': shape.contextLength,
    'llama.embedding_length': shape.width,
    'llama.block_count': shape.layers,
    'llama.feed_forward_length': shape.inner,
    'llama.attention.head_count': shape.heads,
    'llama.attention.head_count_kv': shape.sharedHeads,
    'llama.rope.dimension_count': shape.width / shape.heads,
    'llama.vocab_size': shape.vocabulary,
  }
  const filled = (key: string, value: GgufValue): GgufValue => {
    if (!Array.isArray(value)) return value
    const missing = Array.from({ length: shape.vocabulary - value.length }, (_, index) => index)
    if (key === 'tokenizer.ggml.tokens') return [...value, ...missing.map(index => `<unused${index}>`)]
    return key === 'tokenizer.ggml.token_type' ? [...value, ...missing.map(() => UNUSED)] : value
  }
  const entries = [...own].map(([key, value]): [string, GgufValue] => [key, sizes[key] ?? filled(key, value)])
  const info = tensors.map(({ name, rows, columns }, index) => {
    const at = tensors.slice(0, index).reduce((sum, tensor) => sum + padded(bytesOf(tensor)), 0)
    const dimensions = rows === 0 ? [columns] : [columns, rows]
    const kind = rows === 0 ? GGUF.f32 : GGUF.q8
    return Buffer.concat([text(name), u32(dimensions.length), ...dimensions.map(u64), u32(kind), u64(at)])
  })
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries.map(([key, value]) => Buffer.concat([text(key), typed(value, key)])),
    ...info,
  ])
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)])
}

function typed(value: GgufValue, key: string): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(GGUF.string), text(value)])
  if (typeof value === 'boolean') return Buffer.concat([u32(GGUF.boolean), Buffer.of(Number(value))])
  if (Array.isArray(value)) {
    const strings = typeof value[0] === 'string'
    const items = value.map(item => (strings ? text(String(item)) : u32(Number(item))))
    return Buffer.concat([u32(GGUF.array), u32(strings ? GGUF.string : GGUF.int32), u64(value.length), ...items])
  }
  if (/epsilon|freq_base/.test(key)) {
    const number = Buffer.alloc(4)
    number.writeFloatLE(Number(value))
    return Buffer.concat([u32(GGUF.float32), number])
  }
  return Buffer.concat([u32(GGUF.uint32), u32(Number(value))])
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value)
  return out
}

function u64(value: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64LE(BigInt(value))
  return out
}

const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])

function writeTensor(file: number, rows: number, columns: number): void {
  const size = bytesOf({ name: '', rows, columns })
  const random = createRandom(`${rows} x ${columns}`)
  const whole = Math.min(size, Math.floor(PIECE_BYTES / Q8_BLOCK.bytes) * Q8_BLOCK.bytes)
  const piece = Buffer.alloc(whole)
  // The same random piece again and again: a multiplication takes as long whatever it multiplies.
  if (rows === 0) for (let at = 0; at < whole; at += 4) piece.writeFloatLE(1, at)
  else
    for (let at = 0; at < whole; at += Q8_BLOCK.bytes) {
      piece.writeUInt16LE(Q8_SCALE, at)
      for (let index = 2; index < Q8_BLOCK.bytes; index++) piece[at + index] = Math.floor(random.next() * 255) - 127
    }
  for (let at = 0; at < size; at += whole) writeSync(file, piece, 0, Math.min(whole, size - at))
  writeSync(file, Buffer.alloc(padded(size) - size))
}
