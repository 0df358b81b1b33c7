import type { Clock } from '../../utils/clock.ts'
import type { PeerBook, PeerBookEntry } from '../peer-book.ts'
import type { Roster } from './roster.ts'

/** Writes into the peer book who was seen, every now and then. */
export interface PeerBookKeeper {
  tick(): Promise<void>
  save(): Promise<void>
}

const INTERVAL_MS = 10_000
/** The latest seen stand last. */
const MAX_SEEN = 256

export function keepPeerBook(components: { roster: Roster; clock: Clock; peerBook: PeerBook }): PeerBookKeeper {
  const { roster, clock, peerBook } = components
  const seen = new Map<string, PeerBookEntry>()
  let savedAt = clock.monotonic()
  let savedVersion = -1
  let loaded = false

  const save = async (): Promise<void> => {
    savedAt = clock.monotonic()
    savedVersion = roster.version
    // What stood there before is kept: the book forgets by age and number.
    if (!loaded) for (const entry of await peerBook.load()) seen.set(entry.peer, entry)
    loaded = true
    for (const { node, liveness, signed } of roster.members()) {
      const addresses = signed?.record.addresses
      if (!addresses || liveness.state !== 'alive') continue
      seen.delete(node)
      seen.set(node, { peer: node, addresses, seenAt: clock.now() })
    }
    for (const peer of [...seen.keys()].slice(0, -MAX_SEEN)) seen.delete(peer)
    await peerBook.save([...seen.values()])
  }

  return {
    save,
    async tick() {
      const isDue = clock.monotonic() - savedAt > INTERVAL_MS && roster.version !== savedVersion
      if (isDue) await save()
    },
  }
}
