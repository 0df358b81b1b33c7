import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import type { Logger } from '../../utils/logger.ts'
import { raceSignal } from '../../utils/race-signal.ts'
import type { Dialler } from './dialler.ts'
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

export interface IntroductionComponents {
  readonly roster: Roster
  readonly dialler: Dialler
  readonly clock: Clock
  readonly logger: Logger
}

/** Resolves when the first dials are over and each member known then was met or not reached, or too late. Never rejects. */
export async function awaitIntroductions(components: IntroductionComponents, signal: AbortSignal): Promise<void> {
  const { roster, dialler, clock, logger } = components
  try {
    await withDeadline(clock, { deadlineMs: INTRODUCTION_MS, signal }, async inTime => {
      await raceSignal(dialler.tried(), inTime)
      while (!roster.members().every(isIntroduced)) await clock.sleep(LOOK_MS, inTime)
    })
  } catch {
    const missing = roster.members().filter(member => !isIntroduced(member)).length
    if (!signal.aborted) logger.info({ missing }, 'started before all that were looked for have been met')
  }
}
