import type { DecodeStep } from '../../protocol/index.ts'
import type { CallOptions } from '../../resource/index.ts'
import { concatBytes } from '../../resource/index.ts'
import { type Alarm, createAlarm } from '../../utils/alarm.ts'
import type { Clock } from '../../utils/clock.ts'
import { isModelNetError, ModelNetError, toModelNetError } from '../../utils/errors.ts'
import { gather, type Reply } from './gather.ts'
import { type FusedMember, Seat } from './seat.ts'

/** What happens to the members while they decode; for the trace. */
export type FusionEvent =
  | { readonly type: 'member-lost'; readonly name: string; readonly code: string; readonly message: string }
  | { readonly type: 'member-late'; readonly name: string }
  | { readonly type: 'member-joined'; readonly name: string; readonly instead: string }

export interface EnsembleOptions {
  /** Members whose answers make a step; with fewer alive the session fails with NO_CANDIDATE. @default 1 */
  readonly quorum?: number
  /** How long a quorum waits for a late member; a sixteenth of it after each miss in a row. @default 200 */
  readonly lateMs?: number
  /** How long to wait for a quorum. @default 30000 */
  readonly deadlineMs?: number
  /** Opens a session of another model on the same prompt, for a member that was lost; it reads the text so far and joins. */
  readonly replace?: (lost: string, signal: AbortSignal) => Promise<FusedMember | undefined>
  readonly onEvent?: (event: FusionEvent) => void
}

// A member that is always late costs a text little more than its first miss, and yet gets time to answer as usual
// (12 ms by default) when it has recovered.
const PATIENCE_LOST = 16

/**
 * The members of a fusion and how they are asked together: who is late is left behind for the step, who fails is lost
 * and replaced where somebody can be found, and everybody hears the whole text.
 */
export class Ensemble {
  readonly clock: Clock
  readonly quorum: number
  readonly counts = { lost: 0, replaced: 0, waitingMs: 0 }
  /** In the order of joining; lost members keep their seat. */
  seats: readonly Seat[]
  readonly #options: EnsembleOptions
  readonly #needs: readonly string[]
  readonly #alarm: Alarm
  readonly #closing = new AbortController()
  readonly #joining = new Set<Promise<void>>()
  readonly #text: Uint8Array[] = []
  #lastError: unknown

  /** `needs`: members that no step goes without, however late they are. */
  constructor(members: readonly FusedMember[], options: EnsembleOptions, clock: Clock, needs: readonly string[] = []) {
    if (new Set(members.map(({ name }) => name)).size !== members.length)
      throw new ModelNetError('INVALID_REQUEST', 'expected members of different names')
    const voices = members.filter(({ weight }) => weight > 0)
    if (voices.length === 0) throw new ModelNetError('INVALID_REQUEST', 'expected a member with a positive weight')
    this.clock = clock
    this.#alarm = createAlarm(clock)
    this.quorum = options.quorum ?? 1
    this.#options = options
    this.#needs = needs
    this.seats = members.map(member => new Seat(member, clock))
    for (const seat of this.seats) seat.learned = 1 / voices.length
  }

  /** Members that can be asked now: at least the quorum. Waits for busy and joining ones where there are fewer. */
  async ready(count: number, { signal }: CallOptions): Promise<readonly Seat[]> {
    for (;;) {
      this.#closing.signal.throwIfAborted()
      signal?.throwIfAborted()
      const voices = this.#voices()
      const idle = voices.filter(seat => seat.idle)
      const complete = !voices.some(seat => !seat.idle && this.#needs.includes(seat.name))
      if (idle.length >= count && complete) return idle
      await this.#someone(count)
    }
  }

  tell(bytes: Uint8Array): void {
    this.#text.push(bytes)
    for (const seat of this.seats) seat.tell(bytes)
  }

  async ask(seats: readonly Seat[], question: DecodeStep, options: CallOptions): Promise<readonly Reply[]> {
    const { lateMs = 200, deadlineMs = 30_000, onEvent } = this.#options
    const started = this.clock.monotonic()
    const replies = await gather(
      seats.map(seat => ({ seat, answer: seat.ask(question, this.#closing.signal) })),
      {
        alarm: this.#alarm,
        quorum: Math.min(this.quorum, seats.length),
        patienceMs: ({ misses }) => lateMs / PATIENCE_LOST ** misses,
        isNeeded: ({ name }) => this.#needs.includes(name),
        deadlineMs: Math.min(deadlineMs, options.deadlineMs ?? deadlineMs),
        signal: options.signal,
        onFailure: (seat, error) => this.lose(seat, error),
      },
    )
    this.counts.waitingMs += this.clock.monotonic() - started
    if (onEvent)
      for (const { name, returning, state } of seats)
        if (returning && state === 'live') onEvent({ type: 'member-late', name })
    return replies
  }

  /** Drops a member for good and looks for another. */
  lose(seat: Seat, error: unknown): void {
    if (seat.state === 'lost' || this.#closing.signal.aborted) return
    seat.state = 'lost'
    this.counts.lost++
    this.#lastError = error
    const { code, message } = toModelNetError(error)
    this.#options.onEvent?.({ type: 'member-lost', name: seat.name, code, message })
    seat.session.close().catch(() => undefined)
    const joining: Promise<void> = this.#join(seat)
      .catch(() => undefined)
      .finally(() => this.#joining.delete(joining))
    this.#joining.add(joining)
  }

  /** Stops what is in progress at the members. */
  abort(): void {
    this.#closing.abort(new ModelNetError('CANCELLED', 'the fused session was closed'))
  }

  async close(): Promise<void> {
    this.abort()
    this.#alarm.close()
    // Who was lost was told to close then, and may never answer.
    const live = this.seats.filter(({ state }) => state === 'live')
    await Promise.allSettled([...this.#joining, ...live.map(({ session }) => session.close())])
  }

  #voices(): readonly Seat[] {
    return this.seats.filter(({ state, weight }) => state === 'live' && weight > 0)
  }

  /** Waits until a busy member is idle or a replacement has joined. Throws when nobody will come. */
  async #someone(count: number): Promise<void> {
    const { deadlineMs = 30_000 } = this.#options
    const coming = [...this.#joining, ...this.#voices().flatMap(({ returning }) => (returning ? [returning] : []))]
    // A text that fills the context of all is at its end, which is not a failure of the members.
    if (coming.length === 0 && isModelNetError(this.#lastError) && this.#lastError.code === 'CONTEXT_OVERFLOW')
      throw this.#lastError
    if (coming.length === 0)
      throw new ModelNetError('NO_CANDIDATE', `fewer than ${count} members of the fusion are left`, {
        cause: this.#lastError,
      })
    const timer = new AbortController()
    const late = this.clock.sleep(deadlineMs, timer.signal).then(
      () => true,
      () => false,
    )
    const timedOut = await Promise.race([Promise.race(coming).then(() => false), late])
    timer.abort()
    if (timedOut)
      throw new ModelNetError('DEADLINE_EXCEEDED', `no member of the fusion was ready within ${deadlineMs} ms`)
  }

  /** A replacement reads the text so far; what is written meanwhile it is told with its first question. */
  async #join(lost: Seat): Promise<void> {
    const { replace, onEvent } = this.#options
    const member = await replace?.(lost.name, this.#closing.signal)
    if (!member) return
    const read = this.#text.length
    const text = concatBytes(...this.#text)
    try {
      this.#closing.signal.throwIfAborted()
      if (text.length > 0) await member.session.commit(text, { signal: this.#closing.signal })
      this.#closing.signal.throwIfAborted()
    } catch (error) {
      await member.session.close()
      throw error
    }
    const seat = new Seat({ ...member, weight: lost.weight }, this.clock)
    seat.learned = lost.learned
    for (const bytes of this.#text.slice(read)) seat.tell(bytes)
    this.seats = [...this.seats, seat]
    this.counts.replaced++
    onEvent?.({ type: 'member-joined', name: seat.name, instead: lost.name })
  }
}
