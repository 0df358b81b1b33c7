import type { DecodeResult, DecodeStep, Distribution } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { SteppedSession } from '../../resource/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { DraftLength } from './draft-length.ts'
import { Lookahead } from './lookahead.ts'

export interface SpeculationOptions {
  /** Bounds of a draft, in bytes; between them it adapts. @default 1 (16 for token candidates) and 64 */
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly clock?: Clock
}

export interface SpeculationMetrics {
  /** Drafts asked for, and questions with a proposal: together the round trips a reader waits for. */
  readonly drafts: number
  readonly rounds: number
  readonly drafted: number
  readonly followed: number
}

export interface SpeculativeSession extends DecodeSession {
  readonly speculation: SpeculationMetrics
}

/**
 * The speculative ensemble (spec A6 iv): the lead of `body` drafts, all members look at the whole draft at once, and
 * what they said serves as long as the text follows it. A prefetch only: every distribution is the one `body` would have
 * given step by step, so the text is the same for any rule, sampler and seed. Closing closes `body`.
 */
export function createSpeculativeSession(body: DecodeSession, options: SpeculationOptions = {}): SpeculativeSession {
  return new Speculation(body, options)
}

class Speculation extends SteppedSession implements SpeculativeSession {
  readonly #body: DecodeSession
  readonly #clock: Clock
  readonly #length: DraftLength
  readonly #counts = { drafts: 0, rounds: 0, drafted: 0, followed: 0 }
  #ahead: Lookahead | undefined
  #round = { drafted: 0, ms: 0, askMs: 0 }

  constructor(body: DecodeSession, options: SpeculationOptions) {
    super(body.distribution)
    const { clock = systemClock, minBytes = body.distribution.kind === 'bytes' ? 1 : 16, maxBytes = 64 } = options
    this.#body = body
    this.#clock = clock
    this.#length = new DraftLength({ minBytes, maxBytes })
  }

  get speculation(): SpeculationMetrics {
    return { ...this.#counts, followed: this.#counts.followed + (this.#ahead?.followed ?? 0) }
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    const { commit, next, ...rest } = step
    if (commit && commit.length > 0) {
      // Passed on at once, symbol by symbol: a fusion learns from each, and sends it with its next question.
      await this.#body.step({ commit }, options)
      this.#ahead?.commit(commit)
    }
    const first = next ? [await this.#next(options)] : []
    if (!rest.peek && !rest.draft) return next ? { distributions: first } : {}
    const result = await this.#body.step(rest, options)
    return { ...result, ...(next && { distributions: [...first, ...(result.distributions ?? [])] }) }
  }

  protected free(): Promise<void> {
    return this.#body.close()
  }

  async #next(options: CallOptions): Promise<Distribution> {
    const known = this.#ahead?.here
    if (known) return known
    this.#learn()
    const length = this.#length.next()
    const started = this.#clock.monotonic()
    if (length === 0) {
      const plain = await this.#body.next(options)
      this.#length.observePlain(this.#clock.monotonic() - started)
      return plain
    }
    const draft = await this.#draft(length, options)
    const drafted = this.#clock.monotonic()
    const offsets = draft.ends ? [0, ...draft.ends] : Array.from({ length: draft.bytes.length + 1 }, (_, at) => at)
    this.#counts.rounds++
    this.#counts.drafted += draft.bytes.length
    const { distributions = [] } = await this.#body.step({ peek: draft.bytes, at: offsets }, options)
    const ended = this.#clock.monotonic()
    this.#round = { drafted: draft.bytes.length, ms: ended - started, askMs: ended - drafted }
    this.#ahead = new Lookahead(draft.bytes, offsets, distributions, this.distribution.kind === 'tokens')
    return this.#ahead.here ?? (await this.#body.next(options))
  }

  async #draft(length: number, options: CallOptions): Promise<{ bytes: Uint8Array; ends?: readonly number[] }> {
    this.#counts.drafts++
    const { draft } = await this.#body.step({ draft: length }, options)
    return draft ?? { bytes: new Uint8Array() }
  }

  #learn(): void {
    if (!this.#ahead) return
    const { followed, left } = this.#ahead
    const { drafted } = this.#round
    this.#counts.followed += followed
    this.#length.observe({ ...this.#round, followed, left: left && followed < drafted })
    this.#ahead = undefined
  }
}
