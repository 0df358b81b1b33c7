import { z } from 'zod'
import { createKeptFile } from '../utils/kept-file.ts'
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

const BookSchema: z.ZodType<readonly PeerBookEntry[]> = z.array(
  z.object({
    peer: z.string().min(1).max(128),
    addresses: z.array(z.string().min(1).max(256)).max(16),
    seenAt: z.number().positive(),
  }),
)

/** A peer book in one JSON file, replaced as a whole. */
export function createFilePeerBook(components: { logger: Logger; now(): number }, path: string): PeerBook {
  const { logger, now } = components
  const file = createKeptFile(logger, { path, what: 'the peer book', schema: BookSchema, maxBytes: MAX_FILE_BYTES })
  return {
    load: async () => trim((await file.load()) ?? [], now()),
    save: entries => file.save(trim(entries, now())),
  }
}

function trim(entries: readonly PeerBookEntry[], now: number): readonly PeerBookEntry[] {
  return entries
    .filter(entry => entry.addresses.length > 0 && now - entry.seenAt < MAX_AGE_MS)
    .toSorted((a, b) => b.seenAt - a.seenAt)
    .slice(0, MAX_ENTRIES)
}
