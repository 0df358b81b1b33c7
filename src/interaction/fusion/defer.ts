import type { DecodeResult, DecodeStep, Distribution } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { SteppedSession } from '../../resource/index.ts'
import { confidenceOf } from './learning.ts'
import { Lookahead } from './lookahead.ts'

export interface DeferOptions {
  /** The strong model is asked where the weak one's best symbol has less than this probability. @default 0.5 */
  readonly threshold?: number
  /** Bytes the strong model writes when asked. @default 32 */
  readonly spanBytes?: number
  /** Symbols the weak model writes after that before it may ask again, against ping-pong. @default 0 */
  readonly coolDown?: number
  /** Largest share of symbols the strong model may write; 1 is no limit. @default 1 */
  readonly maxShare?: number
}

export interface DeferringSession extends DecodeSession {
  readonly deferral: { readonly own: number; readonly deferred: number; readonly questions: number }
}

/**
 * Token-level deferral without training (spec A7): a weak local model writes, and where it is unsure a strong remote one
 * writes the next span. Two round trips per span. Fails where the weak model is surely wrong. Closing closes both.
 */
export function createDeferringSession(
  weak: DecodeSession,
  strong: DecodeSession,
  options: DeferOptions = {},
): DeferringSession {
  return new Deferral(weak, strong, options)
}

class Deferral extends SteppedSession implements DeferringSession {
  readonly deferral = { own: 0, deferred: 0, questions: 0 }
  readonly #weak: DecodeSession
  readonly #strong: DecodeSession
  readonly #options: Required<DeferOptions>
  #span: Lookahead | undefined
  #wait = 0

  constructor(weak: DecodeSession, strong: DecodeSession, options: DeferOptions) {
    super(weak.distribution)
    this.#weak = weak
    this.#strong = strong
    this.#options = { threshold: 0.5, spanBytes: 32, coolDown: 0, maxShare: 1, ...options }
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    const { commit, next, ...rest } = step
    if (commit && commit.length > 0) {
      await Promise.all([this.#weak, this.#strong].map(session => session.step({ commit }, options)))
      this.#span?.commit(commit)
    }
    const first = next ? [await this.#next(options)] : []
    if (!rest.peek && !rest.draft) return next ? { distributions: first } : {}
    const result = await this.#weak.step(rest, options)
    return { ...result, ...(next && { distributions: [...first, ...(result.distributions ?? [])] }) }
  }

  protected async free(): Promise<void> {
    await Promise.allSettled([this.#weak.close(), this.#strong.close()])
  }

  async #next(options: CallOptions): Promise<Distribution> {
    const { threshold, spanBytes, coolDown, maxShare } = this.#options
    const known = this.#span?.here
    if (known) {
      this.deferral.deferred++
      return known
    }
    const own = await this.#weak.next(options)
    const { deferred, own: kept } = this.deferral
    const allowed = this.#wait-- <= 0 && (deferred === 0 || deferred < maxShare * (deferred + kept))
    if (!allowed || confidenceOf(own) >= threshold) {
      this.deferral.own++
      return own
    }
    this.deferral.questions++
    this.#wait = coolDown
    const draft = await this.#strong.draft(spanBytes, options)
    const offsets = draft.ends ? [0, ...draft.ends] : Array.from({ length: draft.bytes.length + 1 }, (_, at) => at)
    this.#span = new Lookahead(draft.bytes, offsets, await this.#strong.peek(draft.bytes, offsets, options))
    this.deferral.deferred++
    return this.#span.here ?? own
  }
}
