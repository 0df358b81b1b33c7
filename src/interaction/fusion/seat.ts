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
  }

  metrics(weight: number): MemberMetrics {
    const { name, learned, roundTrips, late, votes, agreed, waitedMs, state } = this
    return { name, weight, learnedWeight: learned, roundTrips, late, votes, agreed, waitedMs, state }
  }
}
