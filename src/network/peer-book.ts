import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../utils/logger.ts'

/** Where a peer was last reached. */
export interface PeerBookEntry {
  readonly peer: string
  readonly addresses: readonly string[]
  /** Milliseconds since the epoch. */
  readonly seenAt: number
}

/** Peers remembered over restarts, so that a node finds its network again when no bootstrap address answers. */
export interface PeerBook {
  /** Latest first. Never rejects: a book that cannot be read is an empty one. */
  load(): Promise<readonly PeerBookEntry[]>
  /** Replaces what is kept. Never rejects. */
  save(entries: readonly PeerBookEntry[]): Promise<void>
}

/** More than a small network holds; a file of about 60 kB. */
const MAX_ENTRIES = 256
/** Addresses change: a peer not seen for so long is looked for in other ways. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000
const MAX_FILE_BYTES = 1024 * 1024

const BookSchema = z.array(
  z.object({
    peer: z.string().min(1).max(128),
    addresses: z.array(z.string().min(1).max(256)).max(16),
    seenAt: z.number().positive(),
  }),
)

/** A peer book in one JSON file, replaced as a whole. */
export function createFilePeerBook(components: { logger: Logger; now(): number }, path: string): PeerBook {
  const { logger, now } = components
  let writing: Promise<void> = Promise.resolve()

  const replace = async (text: string): Promise<void> => {
    const draft = `${path}.${randomUUID()}`
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(draft, text, { mode: 0o600 })
      await rename(draft, path)
    } catch (error) {
      logger.warn({ path, reason: String(error) }, 'cannot write the peer book')
      await rm(draft, { force: true }).catch(() => undefined)
    }
  }

  return {
    async load() {
      const text = await readFile(path, 'utf8').catch(error => {
        if (error?.code !== 'ENOENT') logger.warn({ path, reason: String(error) }, 'cannot read the peer book')
        return undefined
      })
      if (text === undefined) return []
      const entries = parse(text)
      if (!entries) logger.warn({ path }, 'the peer book is damaged and is started anew')
      return trim(entries ?? [], now())
    },
    save(entries) {
      const text = JSON.stringify(trim(entries, now()))
      writing = writing.then(() => replace(text))
      return writing
    },
  }
}

function trim(entries: readonly PeerBookEntry[], now: number): readonly PeerBookEntry[] {
  return entries
    .filter(entry => entry.addresses.length > 0 && now - entry.seenAt < MAX_AGE_MS)
    .toSorted((a, b) => b.seenAt - a.seenAt)
    .slice(0, MAX_ENTRIES)
}

function parse(text: string): readonly PeerBookEntry[] | undefined {
  if (text.length > MAX_FILE_BYTES) return undefined
  try {
    const book = BookSchema.safeParse(JSON.parse(text))
    return book.success ? book.data : undefined
  } catch {
    return undefined
  }
}
