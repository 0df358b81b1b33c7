import type { DecodeResult, DecodeStep, Distribution } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { SteppedSession } from '../../resource/index.ts'
import { Lookahead } from './lookahead.ts'
import type { FusedMember } from './seat.ts'
import { fuseSpans, type SpanFusionOptions } from './span-fusion.ts'

/** A joint text span by span, as a decode session. */
export interface SpanSession extends DecodeSession {
  /** Bytes of the text that each member wrote, by name. */
  readonly authored: ReadonlyMap<string, number>
}

/**
 * Span fusion as a decode session, so that it stands wherever one does: where the text has used up a span, the members
 * draft and choose the next one, and its author answers along it. A text that takes another turn leaves the span and has
 * the next one decided there. Closing closes the members.
 */
export function createSpanSession(members: readonly FusedMember[], options: SpanFusionOptions = {}): SpanSession {
  return new Spans(members, options)
}

class Spans extends SteppedSession implements SpanSession {
  readonly authored: Map<string, number>
  readonly #members: readonly FusedMember[]
  readonly #options: SpanFusionOptions
  #weights: readonly number[]
  #span: Lookahead | undefined
  #author = ''
  #rounds = 0

  constructor(members: readonly FusedMember[], options: SpanFusionOptions) {
    super({ kind: 'bytes' })
    this.#members = members
    this.#options = options
    this.#weights = members.map(({ weight }) => weight)
    this.authored = new Map(members.map(({ name }) => [name, 0]))
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    const { commit, next, ...rest } = step
    if (commit && commit.length > 0) {
      await Promise.all(this.#members.map(({ session }) => session.step({ commit }, options)))
      if (this.#span && !this.#span.left)
        this.authored.set(this.#author, (this.authored.get(this.#author) ?? 0) + commit.length)
      this.#span?.commit(commit)
    }
    const first = next ? [await this.#next(options)] : []
    if (!rest.peek && !rest.draft) return next ? { distributions: first } : {}
    const result = (await this.#heaviest()?.session.step(rest, options)) ?? {}
    return { ...result, ...(next && { distributions: [...first, ...(result.distributions ?? [])] }) }
  }

  protected async free(): Promise<void> {
    await Promise.allSettled(this.#members.map(({ session }) => session.close()))
  }

  async #next(options: CallOptions): Promise<Distribution> {
    const known = this.#span?.here
    if (known) return known
    const weighed = this.#members.map((member, index) => ({ ...member, weight: this.#weights[index] ?? member.weight }))
    const { signal } = options
    const rounds = fuseSpans(weighed, { ...this.#options, rounds: this.#rounds++, ...(signal && { signal }) })
    const { value: span } = await rounds.next()
    // Stopped before the span is committed: whoever decodes does that, byte by byte.
    await rounds.return()
    const author = this.#members.find(({ name }) => name === span?.by) ?? this.#heaviest()
    if (!span || !author) throw new Error('span fusion without members')
    this.#weights = span.weights
    this.#author = author.name
    // What follows a span that does not end the text is decided anew.
    const offsets = Array.from({ length: span.text.length + (span.end ? 1 : 0) }, (_, offset) => offset)
    this.#span = new Lookahead(span.text, offsets, await author.session.peek(span.text, offsets, options))
    return this.#span.here ?? (await author.session.next(options))
  }

  #heaviest(): FusedMember | undefined {
    return this.#members.toSorted((a, b) => b.weight - a.weight)[0]
  }
}
