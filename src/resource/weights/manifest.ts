import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'

/** Weights as they are named on a card. */
export interface WeightsName {
  /** `sha256:<hex>` of the whole file. */
  readonly digest: string
  readonly bytes: number
}

/** The chunks of a file, so that each can be checked when it arrives, whoever sent it. */
export interface WeightsManifest extends WeightsName {
  readonly chunkBytes: number
  /** SHA-256 of every chunk, 32 bytes each, in order. */
  readonly hashes: Uint8Array
}

/** Methods of weights on a channel: `{ digest }` gives a manifest, `{ digest, index }` the bytes of one chunk. */
export const WEIGHTS_METHODS = { manifest: 'weights/manifest', chunk: 'weights/chunk' } as const

const HASH_BYTES = 32
/** A chunk takes the stream from other calls for so long: 20 ms at 100 Mbit/s. */
const MIN_CHUNK_BYTES: number = 256 * 1024
/** Half a frame. */
const MAX_CHUNK_BYTES: number = 2 * 1024 * 1024
/** A manifest takes 2 MiB at most, so that it is one frame. */
const MAX_CHUNKS = 65_536
/** 128 GiB. */
export const MAX_WEIGHTS_BYTES: number = MAX_CHUNKS * MAX_CHUNK_BYTES

export const WeightsDigestSchema: z.ZodType<string> = z.string().regex(/^sha256:[0-9a-f]{64}$/)

const ManifestSchema: z.ZodType<WeightsManifest> = z.object({
  digest: WeightsDigestSchema,
  bytes: z.int().min(1).max(MAX_WEIGHTS_BYTES),
  chunkBytes: z.int().min(1).max(MAX_CHUNK_BYTES),
  hashes: z.custom<Uint8Array>(
    value => value instanceof Uint8Array && value.length <= MAX_CHUNKS * HASH_BYTES,
    'expected bytes',
  ),
})

/** The size of chunks follows from the size of the file, so that honest holders give equal manifests. */
export function chunkBytesOf(bytes: number): number {
  let chunkBytes = MIN_CHUNK_BYTES
  while (bytes > chunkBytes * MAX_CHUNKS) chunkBytes *= 2
  return chunkBytes
}

export const chunksOf = ({ bytes, chunkBytes }: WeightsManifest): number => Math.ceil(bytes / chunkBytes)

/** Where a chunk lies in the file. */
export function chunkAt(manifest: WeightsManifest, index: number): { readonly from: number; readonly length: number } {
  const from = index * manifest.chunkBytes
  return { from, length: Math.min(manifest.chunkBytes, manifest.bytes - from) }
}

export function isChunk(manifest: WeightsManifest, index: number, chunk: Uint8Array): boolean {
  const expected = manifest.hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
  return (
    chunk.length === chunkAt(manifest, index).length && createHash('sha256').update(chunk).digest().equals(expected)
  )
}

/** What a peer sent as the manifest of these weights. Throws PROTOCOL_ERROR when it cannot be that. */
export function checkManifest(value: unknown, wanted: WeightsName): WeightsManifest {
  const parsed = ManifestSchema.safeParse(value)
  const manifest = parsed.data
  const fits =
    manifest?.digest === wanted.digest &&
    manifest.bytes === wanted.bytes &&
    manifest.chunkBytes === chunkBytesOf(wanted.bytes) &&
    manifest.hashes.length === chunksOf(manifest) * HASH_BYTES
  if (!manifest || !fits)
    throw new ModelNetError('PROTOCOL_ERROR', `expected the manifest of ${wanted.digest} with ${wanted.bytes} bytes`)
  return manifest
}

/** Reads a file once. Rejects with INVALID_MODEL_FILE when it is not what its digest says, or too large to be sent. */
export async function createManifest(file: string, digest: string, signal?: AbortSignal): Promise<WeightsManifest> {
  const handle = await open(file, 'r')
  try {
    const { size: bytes } = await handle.stat()
    if (bytes === 0 || bytes > MAX_WEIGHTS_BYTES)
      throw new ModelNetError('INVALID_MODEL_FILE', `${file} has ${bytes} bytes, expected 1 to ${MAX_WEIGHTS_BYTES}`)
    const chunkBytes = chunkBytesOf(bytes)
    const whole = createHash('sha256')
    const hashes = new Uint8Array(Math.ceil(bytes / chunkBytes) * HASH_BYTES)
    const buffer = new Uint8Array(chunkBytes)
    for (let index = 0; index * chunkBytes < bytes; index++) {
      signal?.throwIfAborted()
      const length = Math.min(chunkBytes, bytes - index * chunkBytes)
      const { bytesRead } = await handle.read(buffer, 0, length, index * chunkBytes)
      if (bytesRead < length) throw new ModelNetError('INVALID_MODEL_FILE', `${file} became shorter while it was read`)
      const chunk = buffer.subarray(0, length)
      whole.update(chunk)
      hashes.set(createHash('sha256').update(chunk).digest(), index * HASH_BYTES)
    }
    const found = `sha256:${whole.digest('hex')}`
    if (found !== digest)
      throw new ModelNetError('INVALID_MODEL_FILE', `${file} has the digest ${found}, expected ${digest}`)
    return { digest, bytes, chunkBytes, hashes }
  } finally {
    await handle.close()
  }
}
