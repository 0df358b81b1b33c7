import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Channel, callOnce } from '../../network/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError, toModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import {
  checkManifest,
  chunkAt,
  chunksOf,
  isChunk,
  WEIGHTS_METHODS,
  type WeightsManifest,
  type WeightsName,
} from './manifest.ts'

/** A peer that may have the weights. */
export interface WeightsHolder {
  readonly peer: string
  /** The channel to it, opened again when it was lost. */
  channel(): Promise<Channel>
}

export interface FetchOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Chunks asked of one holder at once: the next is on its way while one is checked and written. */
const LANES = 4
/** Failures of a holder, in a row, after which it is not asked again: a cut connection fails all its lanes at once. */
const MAX_FAILURES: number = 4 * LANES
const RETRY_MS = 250
const CHUNK_DEADLINE_MS = 60_000
/** A holder reads its whole file before it can answer: at least so many bytes a second. */
const READ_BYTES_PER_MS = 50_000

/**
 * Brings weights into `file`, which exists, from all holders at once, and goes on where an earlier try ended: what lies in the file
 * and has the right hash is kept. A holder that sends a wrong chunk is not asked again; one whose connection is cut is.
 * The digest of the whole is checked at the end, so that a false manifest gains nothing. Resolves to the bytes that
 * travelled; rejects with PEER_UNREACHABLE when no holder could give the rest.
 */
export async function fetchWeights(
  wanted: WeightsName,
  holders: readonly WeightsHolder[],
  file: string,
  options: FetchOptions,
): Promise<number> {
  const groups = await askManifests(wanted, holders, options)
  const handle = await open(file, 'r+')
  let moved = 0
  let reason = 'nobody has them'
  try {
    for (const { manifest, members } of groups) {
      const missing = await missingIn(handle, manifest)
      await handle.truncate(manifest.bytes)
      moved += await fill(handle, manifest, { members, missing, options })
      if (missing.size > 0) reason = `${missing.size} of ${chunksOf(manifest)} chunks are still missing`
      else if ((await digestOf(file)) === wanted.digest) return moved
      else {
        reason = `the manifest of ${members.map(({ peer }) => peer).join(', ')} was false`
        options.logger.warn({ digest: wanted.digest, peers: members.map(({ peer }) => peer) }, 'a false manifest')
      }
    }
  } finally {
    await handle.close()
  }
  throw new ModelNetError('PEER_UNREACHABLE', `the weights ${wanted.digest} cannot be had: ${reason}`)
}

interface Group {
  readonly manifest: WeightsManifest
  readonly members: readonly WeightsHolder[]
}

/** Holders that agree on the chunks, most agreement first. Who has nothing, or answers nonsense, is in no group. */
async function askManifests(
  wanted: WeightsName,
  holders: readonly WeightsHolder[],
  { signal, logger }: FetchOptions,
): Promise<readonly Group[]> {
  const deadlineMs = CHUNK_DEADLINE_MS + wanted.bytes / READ_BYTES_PER_MS
  const groups = new Map<string, { manifest: WeightsManifest; members: WeightsHolder[] }>()
  await Promise.all(
    holders.map(async holder => {
      try {
        const { digest } = wanted
        const channel = await holder.channel()
        const answer = await callOnce(channel, WEIGHTS_METHODS.manifest, { digest }, { deadlineMs, signal })
        const manifest = checkManifest(answer, wanted)
        const key = createHash('sha256').update(manifest.hashes).digest('hex')
        const group = groups.get(key) ?? { manifest, members: [] }
        group.members.push(holder)
        groups.set(key, group)
      } catch (error) {
        signal.throwIfAborted()
        logger.debug({ peer: holder.peer, reason: String(error) }, 'has no weights to give')
      }
    }),
  )
  return [...groups.values()].toSorted((a, b) => b.members.length - a.members.length)
}

/** Chunks that are not in the file yet, or not whole. */
async function missingIn(handle: FileHandle, manifest: WeightsManifest): Promise<Set<number>> {
  const missing = new Set(Array.from({ length: chunksOf(manifest) }, (_, index) => index))
  const { size } = await handle.stat()
  const buffer = new Uint8Array(manifest.chunkBytes)
  for (const index of [...missing]) {
    const { from, length } = chunkAt(manifest, index)
    if (from >= size) break
    const { bytesRead } = await handle.read(buffer, 0, length, from)
    if (isChunk(manifest, index, buffer.subarray(0, bytesRead))) missing.delete(index)
  }
  return missing
}

/** Fetches what is missing until it is all there or nobody is left to ask; resolves to the bytes that came. */
async function fill(
  handle: FileHandle,
  manifest: WeightsManifest,
  job: { readonly members: readonly WeightsHolder[]; readonly missing: Set<number>; readonly options: FetchOptions },
): Promise<number> {
  const { members, missing, options } = job
  const { signal, clock, logger } = options
  const failures = new Map(members.map(({ peer }) => [peer, 0]))
  const liars = new Set<string>()
  const isLive = ({ peer }: WeightsHolder): boolean => !liars.has(peer) && (failures.get(peer) ?? 0) < MAX_FAILURES
  let moved = 0

  const lane = async (holder: WeightsHolder, queue: number[]): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = isLive(holder) ? queue.shift() : undefined) {
      try {
        const chunk = await askChunk(holder, manifest, index, signal)
        moved += chunk.length
        if (!isChunk(manifest, index, chunk)) {
          logger.warn({ peer: holder.peer, digest: manifest.digest, index }, 'sent a corrupted chunk and is left out')
          liars.add(holder.peer)
          continue // stays missing: another holder is asked in the next round
        }
        await handle.write(chunk, 0, chunk.length, chunkAt(manifest, index).from)
        missing.delete(index)
        failures.set(holder.peer, 0)
      } catch (thrown) {
        signal.throwIfAborted()
        const error = toModelNetError(thrown)
        failures.set(holder.peer, (failures.get(holder.peer) ?? 0) + 1)
        logger.debug({ peer: holder.peer, index, code: error.code }, 'a chunk did not come')
        await clock.sleep(RETRY_MS * Math.ceil((failures.get(holder.peer) ?? 1) / LANES), signal)
      }
    }
  }

  for (let live = members; missing.size > 0 && live.length > 0; live = members.filter(isLive)) {
    const queue = [...missing]
    await Promise.all(live.flatMap(holder => Array.from({ length: LANES }, () => lane(holder, queue))))
  }
  return moved
}

async function askChunk(
  holder: WeightsHolder,
  { digest }: WeightsManifest,
  index: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const channel = await holder.channel()
  const options = { deadlineMs: CHUNK_DEADLINE_MS, signal }
  const chunk = await callOnce(channel, WEIGHTS_METHODS.chunk, { digest, index }, options)
  if (chunk instanceof Uint8Array) return chunk
  throw new ModelNetError('PROTOCOL_ERROR', `expected the bytes of chunk ${index}`)
}

/** `sha256:<hex>` of a file, read as a stream. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return `sha256:${hash.digest('hex')}`
}
