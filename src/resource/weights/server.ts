import { open, stat } from 'node:fs/promises'
import { z } from 'zod'
import { type CallHandlers, createTokenBucket } from '../../network/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import {
  chunkAt,
  chunksOf,
  createManifest,
  WEIGHTS_METHODS,
  WeightsDigestSchema,
  type WeightsManifest,
} from './manifest.ts'

export interface WeightsHandlersComponents {
  /** The file with this digest, if this node has it and may give it to this peer. */
  readonly find: (digest: string, peer: string) => Promise<string | undefined>
  readonly clock: Clock
}

export interface WeightsHandlersOptions {
  /** Given to all peers together. @default 64 MiB */
  readonly bytesPerSecond?: number
  /** Chunks one peer may ask for at once. @default 8 */
  readonly maxPerPeer?: number
}

/** Manifests kept: each took a reading of the whole file. */
const MAX_MANIFESTS = 32

const ManifestBody = z.object({ digest: WeightsDigestSchema })
const ChunkBody = z.object({ digest: WeightsDigestSchema, index: z.int().min(0) })

/** Gives weights to peers, chunk by chunk, at a bounded rate. */
export function createWeightsHandlers(
  { find, clock }: WeightsHandlersComponents,
  options: WeightsHandlersOptions = {},
): CallHandlers {
  const { bytesPerSecond = 64 * 1024 * 1024, maxPerPeer = 8 } = options
  // A chunk is taken whole, so the bucket must hold the largest.
  const bucket = createTokenBucket(clock, {
    perSecond: bytesPerSecond,
    burst: Math.max(bytesPerSecond, 4 * 1024 * 1024),
  })
  const manifests = new Map<string, Promise<WeightsManifest>>()
  const asking = new Map<string, number>()

  const fileOf = async (digest: string, peer: string): Promise<string> => {
    const file = await find(digest, peer)
    if (file === undefined) throw new ModelNetError('NOT_FOUND', `this node has no weights ${digest} to give`)
    return file
  }

  const manifestOf = async (digest: string, file: string): Promise<WeightsManifest> => {
    const { size, mtimeMs } = await stat(file)
    const key = `${digest} ${file} ${size} ${mtimeMs}`
    const manifest = manifests.get(key) ?? createManifest(file, digest)
    manifests.delete(key)
    manifests.set(key, manifest)
    for (const oldest of manifests.keys()) if (manifests.size > MAX_MANIFESTS) manifests.delete(oldest)
    manifest.catch(() => manifests.delete(key))
    return manifest
  }

  const during = async <T>(peer: string, work: () => Promise<T>): Promise<T> => {
    const count = asking.get(peer) ?? 0
    if (count >= maxPerPeer)
      throw new ModelNetError('OVERLOADED', `${peer} asks for more than ${maxPerPeer} chunks at once`)
    asking.set(peer, count + 1)
    try {
      return await work()
    } finally {
      const left = (asking.get(peer) ?? 1) - 1
      if (left > 0) asking.set(peer, left)
      else asking.delete(peer)
    }
  }

  return {
    async *[WEIGHTS_METHODS.manifest](body, _call, { peer }) {
      const { digest } = parse(ManifestBody, body)
      yield await during(peer, async () => manifestOf(digest, await fileOf(digest, peer)))
    },
    async *[WEIGHTS_METHODS.chunk](body, _call, { peer, signal }) {
      const { digest, index } = parse(ChunkBody, body)
      yield await during(peer, async () => {
        const file = await fileOf(digest, peer)
        const manifest = await manifestOf(digest, file)
        if (index >= chunksOf(manifest))
          throw new ModelNetError('INVALID_REQUEST', `${digest} has ${chunksOf(manifest)} chunks, not ${index + 1}`)
        const { from, length } = chunkAt(manifest, index)
        while (!bucket.take(length)) await clock.sleep(bucket.waitMs(length), signal)
        return readChunk(file, from, length)
      })
    },
  }
}

async function readChunk(file: string, from: number, length: number): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const buffer = new Uint8Array(length)
    const { bytesRead } = await handle.read(buffer, 0, length, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ModelNetError('INVALID_REQUEST', `${issue?.path.join('.') || 'the message'}: ${issue?.message}`)
}
