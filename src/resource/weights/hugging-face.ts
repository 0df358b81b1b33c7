import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../utils/clock.ts'
import { isAbortError, ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { WeightsCache } from './cache.ts'
import { digestOf } from './fetch.ts'
import { MAX_WEIGHTS_BYTES, WeightsDigestSchema, type WeightsName } from './manifest.ts'

export interface HuggingFaceOptions {
  /** Of the hub, or of a mirror that answers as it does. */
  readonly url: string
  /** Sent to the hub itself only, never to where it redirects. */
  readonly token?: string
  readonly cache: WeightsCache
  /** Folder of the cache: what was learned about names is kept there, so that a later start needs no network. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly signal?: AbortSignal
}

/** Weights of a name, on this disk and checked. */
export interface NamedWeights extends WeightsName {
  readonly file: string
  /** Bytes that came over the network; 0 when they were here already. */
  readonly movedBytes: number
}

/** `hf:organisation/repository/path/file.gguf`, the repository with `@revision` where it shall not be `main`. */
export const isHuggingFaceName = (text: string): boolean => text.startsWith('hf:')

const NAME = /^hf:(?<repository>[\w.-]+\/[\w.-]+)(?:@(?<revision>[\w.-]+))?\/(?<path>[\w.-]+(?:\/[\w.-]+)*)$/
const KnownNames = z.record(z.string(), z.object({ digest: WeightsDigestSchema, bytes: z.int().positive() }))
const KNOWN = 'hugging-face.json'
/** Tries in a row that brought nothing before it is given up. */
const MAX_TRIES = 5
const RETRY_MS = 1000
const REDIRECT = new Set([301, 302, 303, 307, 308])

/**
 * The weights of a name in the Hugging Face hub: from the cache where they are there, without asking anybody; else over
 * HTTPS, continued where an earlier try ended, and checked against the SHA-256 that the hub gives (or `digest`, which
 * wins) before they count as whole. Rejects with INVALID_CONFIG, MODEL_NOT_FOUND, UNAUTHORIZED, PEER_UNREACHABLE,
 * PAYLOAD_TOO_LARGE or, for false weights, PROTOCOL_ERROR.
 */
export async function obtainFromHuggingFace(
  name: string,
  digest: string | undefined,
  options: HuggingFaceOptions,
): Promise<NamedWeights> {
  const { cache, directory, logger, signal } = options
  signal?.throwIfAborted()
  const url = urlOf(name, options.url)
  const known = await readKnown(directory)
  const before = known[name]
  const remembered = digest !== undefined && before?.digest !== digest ? undefined : before
  const present = remembered && (await cache.find(remembered.digest))
  if (remembered && present !== undefined) return { ...remembered, file: present, movedBytes: 0 }
  const weights = await identify(url, name, digest, options)
  const kept = await cache.find(weights.digest)
  const release = cache.pin(weights.digest)
  try {
    const moved = kept === undefined ? await download(url, name, weights, options) : 0
    const file = kept ?? (await cache.commit(weights.digest))
    await writeFile(join(directory, KNOWN), JSON.stringify({ ...(await readKnown(directory)), [name]: weights }))
    logger.info({ name, digest: weights.digest, bytes: weights.bytes, moved }, 'weights are here')
    return { ...weights, file, movedBytes: moved }
  } finally {
    release()
  }
}

function urlOf(name: string, base: string): string {
  const { repository, revision = 'main', path } = NAME.exec(name)?.groups ?? {}
  if (repository === undefined || path === undefined || /(^|\/)\.\.?(\/|$)/.test(`${repository}/${path}`))
    throw new ModelNetError('INVALID_CONFIG', `${name} is no \`hf:organisation/repository/file.gguf\``)
  return `${base.replace(/\/+$/, '')}/${repository}/resolve/${revision}/${path}`
}

/** What the hub says the file is, without reading it: size and, of a large file, its SHA-256. */
async function identify(
  url: string,
  name: string,
  digest: string | undefined,
  options: HuggingFaceOptions,
): Promise<WeightsName> {
  const answer = await request(url, { method: 'HEAD', redirect: 'manual' }, options)
  if (!answer.ok && !REDIRECT.has(answer.status)) throw refusal(name, answer.status)
  const tag = (answer.headers.get('x-linked-etag') ?? answer.headers.get('etag') ?? '').replace(/^W\/|"/g, '')
  const said = /^[0-9a-f]{64}$/.test(tag) ? `sha256:${tag}` : undefined
  const wanted = digest ?? said
  if (wanted === undefined)
    throw new ModelNetError('INVALID_CONFIG', `the hub gives no SHA-256 of ${name}: set \`digest\` beside it`)
  if (said !== undefined && said !== wanted)
    throw new ModelNetError('PROTOCOL_ERROR', `${name} is ${said} at the hub, expected ${wanted}`, { retryable: false })
  const bytes = Number(answer.headers.get('x-linked-size') ?? answer.headers.get('content-length'))
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new ModelNetError('PROTOCOL_ERROR', `the hub does not say how large ${name} is`)
  if (bytes > MAX_WEIGHTS_BYTES)
    throw new ModelNetError('PAYLOAD_TOO_LARGE', `${name} has ${bytes} bytes, expected at most ${MAX_WEIGHTS_BYTES}`)
  return { digest: wanted, bytes }
}

/** Fills the file that the cache gives; resolves to the bytes that came. */
async function download(url: string, name: string, weights: WeightsName, options: HuggingFaceOptions): Promise<number> {
  const { cache, clock, logger, signal } = options
  const file = await cache.begin(weights)
  let moved = 0
  // a file of the whole size that is not whole was begun by a transfer from peers, which fills it in any order
  const begun = (await stat(file)).size
  if (begun >= weights.bytes && (await digestOf(file)) !== weights.digest) await truncate(file, 0)
  for (let tries = 0; ; tries++) {
    const have = (await stat(file)).size
    if (have === weights.bytes) break
    try {
      await append(url, name, file, { have, bytes: weights.bytes }, options)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ModelNetError && !error.retryable) throw error
      const now = (await stat(file)).size
      if (now > have) tries = 0
      if (tries >= MAX_TRIES - 1) throw error
      logger.warn({ name, have: now, of: weights.bytes, reason: String(error) }, 'the transfer is continued')
      await clock.sleep(RETRY_MS * 2 ** tries, signal)
    } finally {
      moved += Math.max(0, (await stat(file)).size - have)
    }
  }
  if ((await digestOf(file)) === weights.digest) return moved
  await cache.discard(weights.digest)
  throw new ModelNetError('PROTOCOL_ERROR', `${name} came, but is not ${weights.digest}`, { retryable: false })
}

/** Appends what one request gives. Rejects when it gives less than the rest. */
async function append(
  url: string,
  name: string,
  file: string,
  { have, bytes }: { readonly have: number; readonly bytes: number },
  options: HuggingFaceOptions,
): Promise<void> {
  // Opened first, so that the body is read as soon as it is there: what waits in it is lost when its connection is cut.
  const handle = await open(file, 'r+')
  try {
    const answer = await request(url, have > 0 ? { headers: { range: `bytes=${have}-` } } : {}, options)
    if (!answer.ok || !answer.body) throw refusal(name, answer.status)
    const range = /^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')
    const from = answer.status === 206 ? Number(range?.[1]) : 0
    if (from !== have && from !== 0)
      throw new ModelNetError('PROTOCOL_ERROR', `${name} continues at ${from}, not ${have}`)
    if (from < have) await handle.truncate(from)
    let at = from
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      if (at + chunk.length > bytes) throw new ModelNetError('PROTOCOL_ERROR', `${name} is longer than ${bytes} bytes`)
      await handle.write(chunk, 0, chunk.length, at)
      at += chunk.length
    }
    if (at < bytes) throw new ModelNetError('PEER_UNREACHABLE', `${name} ended after ${at} of ${bytes} bytes`)
  } catch (error) {
    if (error instanceof ModelNetError || isAbortError(error)) throw error
    throw new ModelNetError('PEER_UNREACHABLE', `the transfer of ${name} was cut`, { cause: error })
  } finally {
    await handle.close()
  }
}

async function request(url: string, init: RequestInit, { token, signal }: HuggingFaceOptions): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), ...(token && { authorization: `Bearer ${token}` }) }
  try {
    return await fetch(url, { ...init, headers, ...(signal && { signal }) })
  } catch (cause) {
    signal?.throwIfAborted()
    throw new ModelNetError('PEER_UNREACHABLE', `cannot reach ${new URL(url).host}`, { cause })
  }
}

function refusal(name: string, status: number): ModelNetError {
  if (status === 404) return new ModelNetError('MODEL_NOT_FOUND', `the hub has no ${name}`)
  if (status === 401 || status === 403)
    return new ModelNetError('UNAUTHORIZED', `the hub gives ${name} to known users only: set its token`)
  return new ModelNetError('PEER_UNREACHABLE', `the hub answered ${status} for ${name}`)
}

async function readKnown(directory: string): Promise<z.infer<typeof KnownNames>> {
  const text = await readFile(join(directory, KNOWN), 'utf8').catch(() => '{}')
  try {
    return KnownNames.parse(JSON.parse(text))
  } catch {
    return {} // learned anew
  }
}
