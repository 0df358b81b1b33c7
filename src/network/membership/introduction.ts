import type { Clock } from '../../utils/clock.ts'
import type { Member, Roster } from './roster.ts'

/** A node that starts waits no longer for those that it has heard of. */
const INTRODUCTION_MS = 2000
const LOOK_MS = 20

/** A member has said who it is and what it offers, or it cannot be expected to. */
function isIntroduced({ signed, cards, liveness }: Member): boolean {
  const { state, heartbeats, attempts } = liveness
  if (!heartbeats) return state === 'left' || attempts > 0
  return signed?.record.cards?.every(digest => cards.has(digest)) ?? signed !== undefined
}

/** Resolves when each member that is known now has been met or was not reached, or when that takes too long. */
export async function awaitIntroductions(
  { roster, clock }: { readonly roster: Roster; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const end = clock.monotonic() + INTRODUCTION_MS
  while (!signal.aborted && clock.monotonic() < end && !roster.members().every(isIntroduced))
    await clock.sleep(LOOK_MS, signal).catch(() => undefined) // closing
}
