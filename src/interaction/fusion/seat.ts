import type { DecodeResult, DecodeSession, DecodeStep } from '../../resource/index.ts'
import { concatBytes } from '../../resource/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { MemberMetrics } from './metrics.ts'

/** One of the models that decode together. */
export interface FusedMember {
  /** `model@node`: told in metrics and events; rules with roles name members by it. Unique in a fusion. */
  readonly name: string
  /** Relative to the others; a member with 0 has no voice and is not asked. */
  readonly weight: number
  readonly session: DecodeSession
}

/** How much is remembered of earlier votes at each symbol, and for how many the first belief counts. */
const MEMORY = 0.9
const PRIOR_VOTES = 5

/** A member in a fused session: what it has not been told yet, whether it is busy, and how it did. */
export class Seat {
  readonly name: string
  readonly weight: number
  readonly session: DecodeSession
  learned = 0
  state: 'live' | 'lost' = 'live'
  /** The end of the call in progress, if there is one; a member is never asked twice at once. */
  returning: Promise<void> | undefined
  /** Answers that came too late, one after another. */
  misses = 0
  roundTrips = 0
  late = 0
  votes = 0
  agreed = 0
  waitedMs = 0
  #untold: Uint8Array[] = []
  /** Votes that hit the text, and all, with forgetting; as if 9 of 10 had hit, since members agree more often than not. */
  #hits = 0.9 * PRIOR_VOTES
  #tries = PRIOR_VOTES
  readonly #clock: Clock

  constructor({ name, weight, session }: FusedMember, clock: Clock) {
    this.name = name
    this.weight = weight
    this.session = session
    this.#clock = clock
  }

  get idle(): boolean {
    return this.state === 'live' && !this.returning
  }

  /** What was committed reaches the member with the next question: no round trip of its own. */
  tell(bytes: Uint8Array): void {
    if (this.state === 'live') this.#untold.push(bytes)
  }

  /** Asks, telling what is new first. Rejects as the session does; then the member is not to be asked again. */
  ask(question: DecodeStep, signal: AbortSignal): Promise<DecodeResult> {
    const started = this.#clock.monotonic()
    const commit = this.#untold.length === 1 ? this.#untold[0] : concatBytes(...this.#untold)
    this.#untold = []
    const answer = this.session.step(commit?.length ? { ...question, commit } : question, { signal })
    const returned = (): void => {
      this.returning = undefined
      this.roundTrips++
      this.waitedMs += this.#clock.monotonic() - started
    }
    this.returning = answer.then(returned, returned)
    return answer
  }

  /** Its vote at a position of the text, and whether its own choice was what was committed. */
  count(agreed: boolean): void {
    this.votes++
    if (agreed) this.agreed++
    this.#hits = MEMORY * this.#hits + (agreed ? 1 : 0)
    this.#tries = MEMORY * this.#tries + 1
  }

  /** Chance that the next byte it would write is the one that is written. */
  get acceptance(): number {
    return this.#hits / this.#tries
  }

  /** How long a call of it takes, in ms; 0 before the first. */
  get tripMs(): number {
    return this.roundTrips > 0 ? this.waitedMs / this.roundTrips : 0
  }

  metrics(weight: number): MemberMetrics {
    const { name, learned, roundTrips, late, votes, agreed, waitedMs, state } = this
    return { name, weight, learnedWeight: learned, roundTrips, late, votes, agreed, waitedMs, state }
  }
}
