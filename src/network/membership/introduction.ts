import type { Clock } from '../../utils/clock.ts'
import { withDeadline } from '../../utils/deadline.ts'
import type { Logger } from '../../utils/logger.ts'
import { raceSignal } from '../../utils/race-signal.ts'
import type { Dialler } from './dialler.ts'
import type { Member, Roster } from './roster.ts'

/** A node that starts waits no longer for those that it has heard of. */
const START_MS = 2000
const LOOK_MS = 20

/** The first moments of a member, in which it knows less than the network does. Both resolve and never reject. */
export interface Introduction {
  /** Every address known at the start has been tried, or 2 s are over. */
  readonly tried: Promise<void>
  /** Who was found, and whom these know, has said what it offers or was not reached, or 2 s more are over. */
  readonly over: Promise<void>
}

export interface IntroductionComponents {
  readonly roster: Roster
  readonly dialler: Dialler
  readonly clock: Clock
  readonly logger: Logger
}

export interface IntroductionOptions {
  /** Resolves when the addresses known at the start have been given to the dialler. */
  readonly hinted: Promise<void>
  /** Milliseconds in which others may be discovered. */
  readonly discoverMs: number
  readonly signal: AbortSignal
}

export function startIntroduction(components: IntroductionComponents, options: IntroductionOptions): Introduction {
  const { roster, dialler, clock, logger } = components
  const { hinted, discoverMs, signal } = options
  const within = (what: string, work: (inTime: AbortSignal) => Promise<void>): Promise<void> =>
    withDeadline(clock, { deadlineMs: START_MS, signal }, work).catch(error => {
      if (!signal.aborted) logger.info({ reason: String(error) }, what)
    })
  const discovering = discoverMs > 0 ? clock.sleep(discoverMs, signal).catch(() => undefined) : undefined // closing
  const tried = hinted.then(() =>
    within('not all addresses that are known have answered yet', inTime => raceSignal(dialler.tried(), inTime)),
  )
  const over = tried.then(() =>
    within('not all members that are known have been met yet', async inTime => {
      await discovering
      await raceSignal(dialler.tried(), inTime)
      while (!roster.members().every(isIntroduced)) await clock.sleep(LOOK_MS, inTime)
    }),
  )
  return { tried, over }
}

/** A member has said who it is and what it offers, or it cannot be expected to. */
function isIntroduced({ signed, cards, liveness }: Member): boolean {
  const { state, heartbeats, attempts } = liveness
  if (!heartbeats) return state === 'left' || attempts > 0
  return signed?.record.cards?.every(digest => cards.has(digest)) ?? signed !== undefined
}
