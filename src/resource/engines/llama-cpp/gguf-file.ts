import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { ModelNetError } from '../../../utils/errors.ts'

export type GgufValue = string | number | bigint | boolean | readonly GgufValue[]

/** What a GGUF file says of itself before any weight is read. */
export interface GgufFile {
  readonly path: string
  readonly bytes: number
  /** `sha256:<hex>` of the whole file. */
  readonly digest: string
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly parameters: number
}

/** Real vocabularies take about 10 MB of header (256k tokens); a larger header is refused before it is read. */
const MAX_HEADER_BYTES = 256 * 1024 * 1024
const MAX_TENSORS = 1_000_000
const MAX_ENTRIES = 100_000
const CHUNK = 1 << 20

/** ggml types by number: elements and bytes of a block (ggml/include/ggml.h). Unknown types are not checked for length. */
const BLOCKS: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  30: [1, 2],
}

/**
 * Reads the header of a GGUF file (version 2 or 3), checks that the file holds all the weights it lists and, where
 * one is given, that it has the digest: a truncated file makes llama.cpp fail without a reason. Rejects with
 * INVALID_MODEL_FILE.
 */
export async function readGgufFile(
  path: string,
  options: { readonly digest?: string; readonly signal?: AbortSignal } = {},
): Promise<GgufFile> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw new ModelNetError('INVALID_MODEL_FILE', `${path} cannot be read`, { cause })
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw invalid(path, 'it is not a file')
    const header = await readHeader(path, file, stat.size)
    if (stat.size < header.end) throw invalid(path, `it is truncated: ${stat.size} bytes of at least ${header.end}`)
    const digest = await digestOf(path, options.signal)
    if (options.digest !== undefined && options.digest !== digest)
      throw invalid(path, `its digest is ${digest}, expected ${options.digest}`)
    return { path, bytes: stat.size, digest, metadata: header.metadata, parameters: header.parameters }
  } finally {
    await file.close()
  }
}

const invalid = (path: string, why: string): ModelNetError =>
  new ModelNetError('INVALID_MODEL_FILE', `${path} is not a GGUF model that can be loaded: ${why}`)

async function digestOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, ...(signal ? { signal } : {}) }))
    hash.update(chunk as Buffer) // a stream without an encoding gives buffers
  return `sha256:${hash.digest('hex')}`
}

interface Header {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly parameters: number
  /** The file must have at least this many bytes. */
  readonly end: number
}

async function readHeader(path: string, file: FileHandle, size: number): Promise<Header> {
  const reader = new HeaderReader(path, file, size)
  if ((await reader.bytes(4)).toString('latin1') !== 'GGUF') throw invalid(path, 'it does not begin with "GGUF"')
  const version = await reader.u32()
  if (version !== 2 && version !== 3) throw invalid(path, `its version is ${version}, expected 2 or 3`)
  const tensors = await reader.count(MAX_TENSORS, 'tensors')
  const entries = await reader.count(MAX_ENTRIES, 'metadata entries')
  const metadata = new Map<string, GgufValue>()
  for (let index = 0; index < entries; index++) {
    const key = await reader.text()
    metadata.set(key, await reader.value(await reader.u32(), 0))
  }
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 1 << 20)
    throw invalid(path, 'its alignment is wrong')
  let parameters = 0
  let weights = 0
  for (let index = 0; index < tensors; index++) {
    await reader.text()
    const dimensions = await reader.u32()
    if (dimensions > 8) throw invalid(path, `a tensor has ${dimensions} dimensions`)
    let elements = 1
    for (let dimension = 0; dimension < dimensions; dimension++) elements *= await reader.u64()
    const block = BLOCKS[await reader.u32()]
    const offset = await reader.u64()
    parameters += elements
    if (block) weights = Math.max(weights, offset + (elements / block[0]) * block[1])
  }
  return { metadata, parameters, end: Math.ceil(reader.position / alignment) * alignment + weights }
}

/** Reads little-endian values from a file in large chunks; every length is checked before anything is allocated. */
class HeaderReader {
  position = 0
  readonly #path: string
  readonly #file: FileHandle
  readonly #size: number
  #chunk: Buffer = Buffer.alloc(0)
  #start = 0

  constructor(path: string, file: FileHandle, size: number) {
    this.#path = path
    this.#file = file
    this.#size = Math.min(size, MAX_HEADER_BYTES)
  }

  async bytes(length: number): Promise<Buffer> {
    if (this.position + length > this.#size) throw invalid(this.#path, 'its header is truncated or too large')
    let from = this.position - this.#start
    if (from < 0 || from + length > this.#chunk.length) {
      const chunk = Buffer.alloc(Math.min(Math.max(length, CHUNK), this.#size - this.position))
      let filled = 0
      while (filled < chunk.length) {
        const { bytesRead } = await this.#file.read(chunk, filled, chunk.length - filled, this.position + filled)
        if (bytesRead === 0) throw invalid(this.#path, 'it became shorter while it was read')
        filled += bytesRead
      }
      this.#chunk = chunk
      this.#start = this.position
      from = 0
    }
    this.position += length
    return this.#chunk.subarray(from, from + length)
  }

  async u32(): Promise<number> {
    return (await this.bytes(4)).readUInt32LE()
  }

  async u64(): Promise<number> {
    return Number((await this.bytes(8)).readBigUInt64LE())
  }

  async count(max: number, what: string): Promise<number> {
    const count = await this.u64()
    if (count > max) throw invalid(this.#path, `it lists ${count} ${what}`)
    return count
  }

  async text(): Promise<string> {
    const length = await this.u64()
    if (length > this.#size) throw invalid(this.#path, 'a text in its header is longer than the file')
    return (await this.bytes(length)).toString('utf8')
  }

  async value(type: number, depth: number): Promise<GgufValue> {
    if (type === 8) return this.text()
    if (type === 9) return this.#array(depth)
    const read = SCALARS[type]
    if (!read) throw invalid(this.#path, `its header has a value of unknown type ${type}`)
    return read[1](await this.bytes(read[0]))
  }

  async #array(depth: number): Promise<readonly GgufValue[]> {
    if (depth > 3) throw invalid(this.#path, 'its header is nested too deep')
    const type = await this.u32()
    // Every element takes at least one byte, so a count beyond the file is a lie.
    const count = await this.count(this.#size, 'elements of one list')
    const values: GgufValue[] = []
    for (let index = 0; index < count; index++) values.push(await this.value(type, depth + 1))
    return values
  }
}

/** Size and reader of the scalar types by number (GGUF specification, `gguf_metadata_value_type`). */
const SCALARS: Readonly<Record<number, readonly [bytes: number, read: (buffer: Buffer) => GgufValue]>> = {
  0: [1, buffer => buffer.readUInt8()],
  1: [1, buffer => buffer.readInt8()],
  2: [2, buffer => buffer.readUInt16LE()],
  3: [2, buffer => buffer.readInt16LE()],
  4: [4, buffer => buffer.readUInt32LE()],
  5: [4, buffer => buffer.readInt32LE()],
  6: [4, buffer => buffer.readFloatLE()],
  7: [1, buffer => buffer.readUInt8() !== 0],
  10: [8, buffer => buffer.readBigUInt64LE()],
  11: [8, buffer => buffer.readBigInt64LE()],
  12: [8, buffer => buffer.readDoubleLE()],
}
