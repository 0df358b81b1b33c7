import type { DecodeSession } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { DecoderPlan } from './decoder-plan.ts'
import type { PathwayContext } from './path.ts'

export type Lift = Extract<DecoderPlan, { kind: 'lift' }>

/** Opens the session of one model of a joint text. */
export type OpenLift = (lift: Lift, signal: AbortSignal) => Promise<DecodeSession>

/**
 * A session held while another is waited for may be what somebody else waits for, and the other way round. After so long
 * all is given back. A thinking model thinks while its session is opened: much less would cut its thought.
 */
const HOLD_MS = 5000
const MAX_ATTEMPTS = 6

/**
 * Opens the sessions that a joint text takes, and puts them together with `compose`; when it rejects, none stays open.
 * All at once first. Who then waits too long with sessions in hand gives them back and opens them one after another in
 * the order of their names, as everybody does, so that no two wait for each other. Only a model that is needed twice can
 * still be halved between two texts: then back, and a wait of random length.
 */
export async function takeSeats<T>(
  lifts: readonly Lift[],
  openLift: OpenLift,
  compose: (open: (lift: Lift) => Promise<DecodeSession>, signal: AbortSignal) => Promise<T>,
  context: PathwayContext,
): Promise<T> {
  const { clock } = context
  const random = context.random.fork('seats')
  const names = lifts.map(({ voice }) => voice.name)
  const isNeededTwice = new Set(names).size < names.length
  for (let attempt = 0; ; attempt++) {
    const isOrdered = attempt > 0
    const seats = new Seats(openLift, context, !isOrdered || isNeededTwice)
    try {
      if (isOrdered) await seats.openInOrder(lifts)
      const composed = await compose(lift => seats.take(lift), seats.signal)
      await seats.settle()
      return composed
    } catch (error) {
      await seats.giveBack()
      if (!seats.gaveUp || context.signal.aborted) throw error
      if (attempt + 1 >= MAX_ATTEMPTS) throw seats.gaveUp
      await clock.sleep(random.next() * attempt * HOLD_MS, context.signal)
    }
  }
}

/** The sessions of one attempt. */
class Seats {
  readonly signal: AbortSignal
  readonly #openLift: OpenLift
  readonly #context: PathwayContext
  readonly #isLimited: boolean
  readonly #controller = new AbortController()
  readonly #held = new Set<DecodeSession>()
  /** Opened in order and not taken yet. */
  readonly #ready = new Map<Lift, Promise<DecodeSession>[]>()
  #waiting = 0
  #timer: AbortController | undefined
  /** Set once it held some too long while it waited for others. */
  gaveUp: ModelNetError | undefined

  constructor(openLift: OpenLift, context: PathwayContext, isLimited: boolean) {
    this.#openLift = openLift
    this.#context = context
    this.#isLimited = isLimited
    this.signal = AbortSignal.any([context.signal, this.#controller.signal])
  }

  async openInOrder(lifts: readonly Lift[]): Promise<void> {
    for (const lift of lifts.toSorted((a, b) => (a.voice.name < b.voice.name ? -1 : 1))) {
      const opening = this.#open(lift)
      await opening.catch(() => undefined) // told to whoever takes it
      this.signal.throwIfAborted()
      this.#ready.set(lift, [...(this.#ready.get(lift) ?? []), opening])
    }
  }

  take(lift: Lift): Promise<DecodeSession> {
    return this.#ready.get(lift)?.shift() ?? this.#open(lift)
  }

  /** All that is needed is open; what was opened in vain is closed. */
  async settle(): Promise<void> {
    this.#timer?.abort()
    const unused = await Promise.allSettled([...this.#ready.values()].flat())
    for (const each of unused) if (each.status === 'fulfilled') await close(each.value)
  }

  async giveBack(): Promise<void> {
    this.#timer?.abort()
    await Promise.all([...this.#held].map(close))
  }

  async #open(lift: Lift): Promise<DecodeSession> {
    this.#waiting++
    this.#watch()
    try {
      const session = await this.#openLift(lift, this.signal)
      this.#held.add(session)
      return session
    } finally {
      this.#waiting--
      this.#watch()
    }
  }

  #watch(): void {
    const isHolding = this.#isLimited && this.#waiting > 0 && this.#held.size > 0
    if (!isHolding) {
      this.#timer?.abort()
      this.#timer = undefined
      return
    }
    if (this.#timer) return
    this.#timer = new AbortController()
    this.#context.clock.sleep(HOLD_MS, this.#timer.signal).then(
      () => this.#giveUp(),
      () => undefined, // nobody is waited for any more
    )
  }

  #giveUp(): void {
    this.gaveUp = new ModelNetError('OVERLOADED', 'the models of a joint text were not free at the same time', {
      details: { retryAfterMs: HOLD_MS },
    })
    this.#controller.abort(this.gaveUp)
  }
}

const close = (session: DecodeSession): Promise<void> => session.close().catch(() => undefined) // nobody needs it
