import { mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { WeightsName } from './manifest.ts'

export interface CachedWeights extends WeightsName {
  /** Milliseconds since the epoch. */
  readonly usedAt: number
}

/** Weights of peers, kept by digest in a folder of bounded size; what was not used for longest makes room. */
export interface WeightsCache {
  /** The file with this digest, marked as used. */
  find(digest: string): Promise<string | undefined>
  /** Makes room and gives the file to write to, with what an earlier try left in it. Rejects with PAYLOAD_TOO_LARGE. */
  begin(weights: WeightsName): Promise<string>
  /** The file that `begin` gave is whole and checked; resolves to its place. */
  commit(digest: string): Promise<string>
  /** Removes weights that turned out to be wrong. */
  discard(digest: string): Promise<void>
  /** Keeps weights from making room until the returned function is called. */
  pin(digest: string): () => void
  list(): Promise<readonly CachedWeights[]>
}

export interface WeightsCacheOptions {
  readonly directory: string
  /** Bytes of all files together, unfinished ones included. */
  readonly quotaBytes: number
  readonly clock: Clock
}

/** Left on the disk for others. */
const SPARE_DISK_BYTES: number = 256 * 1024 * 1024
const WHOLE = '.gguf'
const PART = '.part'
const FILE = /^sha256-([0-9a-f]{64})\.(gguf|part)$/

interface KeptFile extends CachedWeights {
  readonly path: string
  readonly whole: boolean
}

export function createWeightsCache({ directory, quotaBytes, clock }: WeightsCacheOptions): WeightsCache {
  const pins = new Map<string, number>()
  /** What unfinished files will take. */
  const expected = new Map<string, number>()
  const pathOf = (digest: string, ending: string): string => join(directory, `${digest.replace(':', '-')}${ending}`)

  const files = async (): Promise<readonly KeptFile[]> => {
    const names = await readdir(directory).catch(() => [])
    const kept = names.map(async (name): Promise<readonly KeptFile[]> => {
      const [, hex, ending] = FILE.exec(name) ?? []
      const path = join(directory, name)
      const facts = hex === undefined ? undefined : await stat(path).catch(() => undefined)
      if (!facts?.isFile()) return []
      const digest = `sha256:${hex}`
      const bytes = Math.max(facts.size, expected.get(digest) ?? 0)
      return [{ path, digest, whole: ending === 'gguf', bytes, usedAt: facts.mtimeMs }]
    })
    return (await Promise.all(kept)).flat()
  }

  const touch = (path: string): Promise<void> => {
    const now = new Date(clock.now())
    return utimes(path, now, now)
  }

  /** Removes what was not used for longest until there is room for these weights. */
  const makeRoom = async ({ digest, bytes }: WeightsName): Promise<void> => {
    const refuse = (why: string): ModelNetError =>
      new ModelNetError('PAYLOAD_TOO_LARGE', `no room for weights of ${bytes} bytes: ${why}`)
    if (bytes > quotaBytes) throw refuse(`the quota is ${quotaBytes} bytes`)
    const others = (await files()).filter(file => file.digest !== digest)
    let used = others.reduce((sum, file) => sum + file.bytes, 0)
    for (const file of others.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (used + bytes <= quotaBytes) break
      if (pins.has(file.digest)) continue
      await rm(file.path, { force: true })
      used -= file.bytes
    }
    if (used + bytes > quotaBytes) throw refuse(`${used} bytes of the quota of ${quotaBytes} are in use`)
    const { bavail, bsize } = await statfs(directory)
    const own = (await stat(pathOf(digest, PART)).catch(() => undefined))?.size ?? 0
    if (bavail * bsize + own < bytes + SPARE_DISK_BYTES) throw refuse(`the disk has ${bavail * bsize} bytes left`)
  }

  return {
    async find(digest) {
      const path = pathOf(digest, WHOLE)
      const found = await touch(path).then(
        () => true,
        () => false,
      )
      return found ? path : undefined
    },
    async begin(weights) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await makeRoom(weights)
      const path = pathOf(weights.digest, PART)
      await (await open(path, 'a', 0o600)).close()
      expected.set(weights.digest, weights.bytes)
      return path
    },
    async commit(digest) {
      expected.delete(digest)
      await rename(pathOf(digest, PART), pathOf(digest, WHOLE))
      await touch(pathOf(digest, WHOLE))
      return pathOf(digest, WHOLE)
    },
    async discard(digest) {
      expected.delete(digest)
      await Promise.all([WHOLE, PART].map(ending => rm(pathOf(digest, ending), { force: true })))
    },
    pin(digest) {
      pins.set(digest, (pins.get(digest) ?? 0) + 1)
      let pinned = true
      return () => {
        if (!pinned) return
        pinned = false
        const left = (pins.get(digest) ?? 1) - 1
        if (left > 0) pins.set(digest, left)
        else pins.delete(digest)
      }
    },
    async list() {
      const whole = (await files()).filter(file => file.whole)
      return whole.map(({ digest, bytes, usedAt }) => ({ digest, bytes, usedAt }))
    },
  }
}
