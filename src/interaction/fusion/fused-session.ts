import type { DecodeResult, DecodeStep, Distribution, DistributionKind } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { createByteView, SteppedSession } from '../../resource/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { checkDistribution } from './check-distribution.ts'
import { chooseDrafter } from './drafter.ts'
import { Ensemble, type EnsembleOptions } from './ensemble.ts'
import type { Reply } from './gather.ts'
import { favourite, LEARN_DEFAULTS, type LearnOptions, learned, likelihoodOf } from './learning.ts'
import type { FusionMetrics } from './metrics.ts'
import { combine, type FusionRule } from './rule.ts'
import { type FusionRuleName, fusionRule } from './rules/index.ts'
import type { FusedMember, Seat } from './seat.ts'

export interface FusionOptions extends EnsembleOptions {
  /** @default 'mean' */
  readonly rule?: FusionRuleName | FusionRule
  /** Weights learned along the text, on top of those given; false for fixed weights. @default { rate: 0.3, floor: 0.002 } */
  readonly learn?: LearnOptions | false
  /** Who drafts, unless another promises clearly more text per time. @default the heaviest member */
  readonly lead?: string
  readonly clock?: Clock
}

/** Several models that write one text: a decode session like any other. */
export interface FusedSession extends DecodeSession {
  readonly metrics: FusionMetrics
}

/**
 * Fuses decode sessions into one: over token candidates if all members are, else over bytes, through which members that
 * report candidates are then seen. All live members are asked at the same time, what was committed travels with the next
 * question, and who is late or lost does not hold up the others. Closing closes the members. Throws INVALID_REQUEST for
 * no members and for equal names.
 */
export function createFusedSession(members: readonly FusedMember[], options: FusionOptions = {}): FusedSession {
  return new Fusion(members, options)
}

/** The answers to the last question, by offset of its proposal, to learn from when bytes are committed. */
interface Known {
  /** How far the text has followed the proposal. */
  readonly position: number
  readonly bytes: Uint8Array
  readonly offsets: readonly number[]
  readonly replies: readonly { readonly seat: Seat; readonly distributions: readonly Distribution[] }[]
}

class Fusion extends SteppedSession implements FusedSession {
  readonly #ensemble: Ensemble
  readonly #rule: FusionRule
  readonly #learn: Required<LearnOptions>
  readonly #lead: string | undefined
  readonly #counts = { steps: 0, drafts: 0, bytes: 0, positions: 0, candidates: 0, combiningMs: 0 }
  #known: Known | undefined

  constructor(members: readonly FusedMember[], options: FusionOptions) {
    super(alphabetOf(members))
    const { clock = systemClock, rule = 'mean', learn = {}, lead } = options
    this.#rule = typeof rule === 'string' ? fusionRule(rule) : rule
    const over = (member: FusedMember): FusedMember => toAlphabet(member, this.distribution.kind)
    const { replace } = options
    this.#ensemble = new Ensemble(
      members.map(over),
      {
        ...options,
        ...(replace && {
          replace: async (lost, signal) => {
            const member = await replace(lost, signal)
            return member && over(member)
          },
        }),
      },
      clock,
      this.#rule.needs,
    )
    this.#learn = learn ? { ...LEARN_DEFAULTS, ...learn } : { rate: 0, floor: 0 }
    this.#lead = lead
  }

  get metrics(): FusionMetrics {
    const { seats, counts } = this.#ensemble
    const total = seats.reduce((sum, { state, weight }) => sum + (state === 'live' ? weight : 0), 0)
    return { ...this.#counts, ...counts, members: seats.map(seat => seat.metrics(total > 0 ? seat.weight / total : 0)) }
  }

  override close(): Promise<void> {
    this.#ensemble.abort()
    return super.close()
  }

  protected free(): Promise<void> {
    return this.#ensemble.close()
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    if (step.commit && step.commit.length > 0) this.#commit(step.commit)
    const distributions: Distribution[] = []
    if (step.next) distributions.push(...(await this.#fused({ next: true }, new Uint8Array(), [0], options)))
    const { peek } = step
    if (peek) {
      const at = step.at ?? Array.from({ length: peek.length + 1 }, (_, offset) => offset)
      distributions.push(...(await this.#fused({ peek, at }, peek, at, options)))
    }
    const draft = step.draft ? (await this.#draft(step.draft, options)).draft : undefined
    return { ...(distributions.length > 0 && { distributions }), ...(draft && { draft }) }
  }

  /** Tells the members (with their next question), and learns from who foresaw it. */
  #commit(bytes: Uint8Array): void {
    this.#counts.bytes += bytes.length
    this.#ensemble.tell(bytes)
    const size = this.distribution.kind === 'bytes' ? 1 : bytes.length
    for (let at = 0; at < bytes.length && this.#known; at += size)
      this.#known = this.#learnFrom(this.#known, bytes.subarray(at, at + size))
  }

  /** Learns from one symbol of the text; gives what is still known after it. */
  #learnFrom(known: Known, symbol: Uint8Array): Known | undefined {
    const { bytes, position, offsets, replies } = known
    const { seats } = this.#ensemble
    const index = offsets.indexOf(position)
    if (index < 0) return undefined
    for (const { seat, distributions } of replies) {
      const distribution = distributions[index]
      if (distribution) seat.count(Buffer.compare(favourite(distribution), symbol) === 0)
    }
    const weights = this.#learned(known, index, symbol, this.#weights())
    for (const [at, seat] of seats.entries()) seat.learned = weights[at] ?? seat.learned
    const end = position + symbol.length
    return Buffer.compare(bytes.subarray(position, end), symbol) === 0 ? { ...known, position: end } : undefined
  }

  async #draft(maxBytes: number, options: CallOptions): Promise<DecodeResult> {
    for (;;) {
      const idle = await this.#ensemble.ready(1, options)
      const lead = chooseDrafter(idle, this.#lead)
      if (!lead) continue
      this.#counts.drafts++
      const [reply] = await this.#ensemble.ask([lead], { draft: maxBytes }, options)
      if (reply?.result.draft) return reply.result
      this.#ensemble.lose(lead, new ModelNetError('PROTOCOL_ERROR', 'expected a draft'))
    }
  }

  /** The fused distributions at the offsets of what the question proposes. */
  async #fused(
    question: DecodeStep,
    bytes: Uint8Array,
    offsets: readonly number[],
    options: CallOptions,
  ): Promise<readonly Distribution[]> {
    const { clock, quorum } = this.#ensemble
    for (;;) {
      const idle = await this.#ensemble.ready(quorum, options)
      this.#counts.steps++
      const answers = await this.#ensemble.ask(idle, question, options)
      const replies = answers.flatMap(answer => this.#checked(answer, offsets.length))
      if (replies.length < quorum) continue
      const started = clock.monotonic()
      // Where the context of one has no room for all of a proposal, that part is for the next question.
      const room = Math.min(...replies.map(({ distributions }) => distributions.length))
      this.#known = { bytes, offsets: offsets.slice(0, room), replies, position: 0 }
      const fused = this.#along(this.#known)
      this.#counts.combiningMs += clock.monotonic() - started
      return fused
    }
  }

  #checked({ seat, result }: Reply, count: number): Known['replies'] {
    try {
      const { distributions = [] } = result
      if (distributions.length === 0 || distributions.length > count)
        throw new ModelNetError('PROTOCOL_ERROR', `expected ${count} distributions, got ${distributions.length}`)
      return [{ seat, distributions: distributions.map(one => checkDistribution(one, this.distribution.kind)) }]
    } catch (error) {
      this.#ensemble.lose(seat, error)
      return []
    }
  }

  /** What all say at each offset, the weights learning along the proposal as they would if it were committed. */
  #along(known: Known): readonly Distribution[] {
    const { bytes, offsets } = known
    let weights = this.#weights()
    return offsets.map((offset, index) => {
      const fused = this.#combine(known, index, weights)
      const symbol = bytes.subarray(offset, offsets[index + 1] ?? offset)
      if (symbol.length > 0) weights = this.#learned(known, index, symbol, weights)
      return fused
    })
  }

  #weights(): readonly number[] {
    return this.#ensemble.seats.map(({ learned }) => learned)
  }

  #learned(known: Known, index: number, symbol: Uint8Array, weights: readonly number[]): readonly number[] {
    const likelihoods = this.#ensemble.seats.map(seat => {
      const distribution = known.replies.find(reply => reply.seat === seat)?.distributions[index]
      return distribution && likelihoodOf(distribution, symbol)
    })
    return learned(weights, likelihoods, this.#learn)
  }

  #combine({ replies }: Known, index: number, weights: readonly number[]): Distribution {
    const { seats } = this.#ensemble
    const votes = replies.flatMap(({ seat, distributions }) => {
      const distribution = distributions[index]
      const weight = seat.weight * (weights[seats.indexOf(seat)] ?? 0)
      return distribution ? [{ name: seat.name, weight, distribution }] : []
    })
    const total = votes
      .map(({ weight }) => weight)
      .sort((a, b) => a - b)
      .reduce((sum, weight) => sum + weight, 0)
    const fused = combine(
      this.#rule,
      votes.map(vote => ({ ...vote, weight: vote.weight / total })),
    )
    this.#counts.positions++
    if (fused.kind === 'tokens')
      this.#counts.candidates += fused.candidates.length + (fused.end > Number.NEGATIVE_INFINITY ? 1 : 0)
    return fused
  }
}

const alphabetOf = (members: readonly FusedMember[]): DistributionKind =>
  members.find(({ session }) => session.distribution.kind === 'bytes')?.session.distribution ??
  members[0]?.session.distribution ?? { kind: 'bytes' }

function toAlphabet(member: FusedMember, kind: DistributionKind['kind']): FusedMember {
  if (member.session.distribution.kind === kind) return member
  if (kind === 'bytes') return { ...member, session: createByteView(member.session) }
  throw new ModelNetError('INVALID_REQUEST', `a fusion over token candidates cannot take ${member.name}, of bytes`)
}
