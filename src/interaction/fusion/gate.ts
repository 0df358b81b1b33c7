import type { DecodeResult, DecodeStep, Distribution } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { SteppedSession } from '../../resource/index.ts'
import { confidenceOf } from './learning.ts'

export interface GateOptions {
  /** The lead decides alone where its best symbol has at least this probability. @default 0.9 */
  readonly threshold?: number
}

export interface GatedSession extends DecodeSession {
  /** Positions the lead decided alone, and positions all were asked. */
  readonly gate: { readonly alone: number; readonly together: number }
}

/**
 * Disagreement-gated fusion (GaC's gate; SAFE 2510.15346: fusing every symbol of a long text makes it worse): a local
 * lead writes, and the others are asked only where it is unsure. What the lead wrote reaches them with that question.
 * Not lossless: where the lead is surely wrong nobody is asked. Closing closes both.
 */
export function createGatedSession(lead: DecodeSession, all: DecodeSession, options: GateOptions = {}): GatedSession {
  return new Gate(lead, all, options)
}

class Gate extends SteppedSession implements GatedSession {
  readonly gate = { alone: 0, together: 0 }
  readonly #lead: DecodeSession
  readonly #all: DecodeSession
  readonly #threshold: number

  constructor(lead: DecodeSession, all: DecodeSession, { threshold = 0.9 }: GateOptions) {
    super(all.distribution)
    this.#lead = lead
    this.#all = all
    this.#threshold = threshold
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    const { commit, next, ...rest } = step
    if (commit && commit.length > 0)
      await Promise.all([this.#lead, this.#all].map(session => session.step({ commit }, options)))
    const first = next ? [await this.#next(options)] : []
    if (!rest.peek && !rest.draft) return next ? { distributions: first } : {}
    const result = await this.#all.step(rest, options)
    return { ...result, ...(next && { distributions: [...first, ...(result.distributions ?? [])] }) }
  }

  protected async free(): Promise<void> {
    await Promise.allSettled([this.#lead.close(), this.#all.close()])
  }

  async #next(options: CallOptions): Promise<Distribution> {
    const own = await this.#lead.next(options)
    const sure = confidenceOf(own) >= this.#threshold
    this.gate[sure ? 'alone' : 'together']++
    return sure ? own : this.#all.next(options)
  }
}
