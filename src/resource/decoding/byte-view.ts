import type { DecodeResult, DecodeStep, Distribution, Draft, TokenDistribution } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { CallOptions, DecodeSession } from '../language-model.ts'
import { asFarAsItGoes, concatBytes, offsetsOf, SteppedSession, untilFull } from './stepped-session.ts'

/** Share of the readings below which a token that ends here is not asked what follows it. */
const TOLERANCE = 1e-3

/**
 * Next-byte distributions over a session that reports only its best tokens, so that it can be fused with exact ones.
 * The candidates are followed byte by byte; where one of them ends, the session is asked what comes next. It stands in
 * the same context whichever tokens spell the text, so there is at most one new reading per position. What it does not
 * report is spread evenly over the bytes: an approximation, unlike the byte sessions of models with known vocabularies.
 * Closing closes the session.
 */
export function createByteView(session: DecodeSession): DecodeSession {
  if (session.distribution.kind !== 'tokens')
    throw new ModelNetError('INVALID_REQUEST', 'expected a session of token candidates')
  return new ByteView(session)
}

/** A token in progress: candidates that begin with its first `depth` bytes. */
interface Reading {
  readonly weight: number
  readonly depth: number
  readonly candidates: readonly { readonly bytes: Uint8Array; readonly probability: number }[]
  /** Probability of the text's end and of what is not reported; 0 once a byte has been read. */
  readonly end: number
  readonly residual: number
}

/** All readings of the text up to here; `fresh` is the weight of the one whose last token is complete. */
interface Position {
  readonly readings: readonly Reading[]
  readonly fresh: number
  expanded?: readonly Reading[]
}

class ByteView extends SteppedSession {
  readonly #session: DecodeSession
  #here: Position = { readings: [], fresh: 1 }

  constructor(session: DecodeSession) {
    super({ kind: 'bytes' })
    this.#session = session
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    if (step.commit && step.commit.length > 0) {
      const positions = [this.#here]
      await this.#walk(step.commit, options, positions)
      await this.#session.step({ commit: step.commit }, options)
      this.#here = positions.at(-1) ?? this.#here
    }
    const distributions: Distribution[] = []
    if (step.next) distributions.push(await this.#distribution(this.#here, new Uint8Array(), options))
    if (step.peek) {
      const { peek } = step
      const positions = [this.#here]
      await untilFull(() => this.#walk(peek, options, positions))
      const places = positions.map((position, offset) => ({ position, ahead: peek.subarray(0, offset) }))
      const ask = ({ position, ahead }: (typeof places)[number]): Promise<Distribution> =>
        this.#distribution(position, ahead, options)
      distributions.push(...(await asFarAsItGoes(offsetsOf(step), offset => places[offset], ask)))
    }
    const draft = step.draft ? await this.#draft(step.draft, options) : undefined
    return { ...(distributions.length > 0 && { distributions }), ...(draft && { draft }) }
  }

  protected free(): Promise<void> {
    return this.#session.close()
  }

  /** Adds the positions after each of the bytes, from the committed text on. */
  async #walk(bytes: Uint8Array, options: CallOptions, positions: Position[]): Promise<void> {
    let at = this.#here
    for (const [index, byte] of bytes.entries()) {
      at = push(await this.#expand(at, bytes.subarray(0, index), options), byte)
      positions.push(at)
    }
  }

  async #draft(maxBytes: number, options: CallOptions): Promise<Draft> {
    let bytes: Uint8Array = new Uint8Array()
    let at = this.#here
    while (bytes.length < maxBytes) {
      const { probabilities } = await this.#distribution(at, bytes, options)
      const best = probabilities.indexOf(Math.max(...probabilities))
      if (best === END) return { bytes, end: true }
      at = push(await this.#expand(at, bytes, options), best)
      bytes = concatBytes(bytes, Uint8Array.of(best))
    }
    return { bytes, end: false }
  }

  async #distribution(
    position: Position,
    ahead: Uint8Array,
    options: CallOptions,
  ): Promise<{ readonly kind: 'bytes'; readonly probabilities: Float64Array }> {
    const out = new Float64Array(END + 1)
    for (const { weight, depth, candidates, end, residual } of await this.#expand(position, ahead, options)) {
      for (const { bytes, probability } of candidates) {
        const next = bytes[depth]
        if (next !== undefined) out[next] = (out[next] ?? 0) + weight * probability
      }
      out[END] = (out[END] ?? 0) + weight * end
      if (residual > 0) for (let byte = 0; byte < END; byte++) out[byte] = (out[byte] ?? 0) + (weight * residual) / END
    }
    const total = out.reduce((sum, value) => sum + value, 0)
    return { kind: 'bytes', probabilities: out.map(value => value / total) }
  }

  /** Adds the reading that begins a new token here, when it weighs enough. */
  async #expand(position: Position, ahead: Uint8Array, options: CallOptions): Promise<readonly Reading[]> {
    const { readings, fresh } = position
    if (fresh <= TOLERANCE && readings.length > 0) return readings
    position.expanded ??= [...readings, toReading(await this.#ask(ahead, options), fresh)]
    return position.expanded
  }

  async #ask(ahead: Uint8Array, options: CallOptions): Promise<TokenDistribution> {
    const { distributions } = await this.#session.step(
      ahead.length > 0 ? { peek: ahead, at: [ahead.length] } : { next: true },
      options,
    )
    const [distribution] = distributions ?? []
    if (distribution?.kind !== 'tokens') throw new ModelNetError('PROTOCOL_ERROR', 'expected token candidates')
    return distribution
  }
}

const toReading = ({ candidates, end, residual }: TokenDistribution, weight: number): Reading => ({
  weight,
  depth: 0,
  candidates: candidates.map(({ bytes, logprob }) => ({ bytes, probability: Math.exp(logprob) })),
  end: Math.exp(end),
  residual: Math.max(0, residual),
})

/** Narrows every reading to those of its candidates that go on with this byte; weights sum to 1 again. */
function push(readings: readonly Reading[], byte: number): Position {
  const next: Reading[] = []
  let fresh = 0
  for (const { weight, depth, candidates, residual } of readings) {
    const going = candidates.filter(({ bytes }) => bytes[depth] === byte)
    const mass = going.reduce((sum, { probability }) => sum + probability, 0)
    const ending = going.find(({ bytes }) => bytes.length === depth + 1)?.probability ?? 0
    // A byte of a token that was not reported: what follows it is asked anew.
    fresh += weight * (ending + residual / END)
    const longer = going.filter(({ bytes }) => bytes.length > depth + 1)
    if (mass - ending > 0 && longer.length > 0)
      next.push({ weight: weight * (mass - ending), depth: depth + 1, candidates: scaled(longer), end: 0, residual: 0 })
  }
  const total = next.reduce((sum, { weight }) => sum + weight, fresh)
  if (total === 0) return { readings: [], fresh: 1 }
  return { readings: next.map(reading => ({ ...reading, weight: reading.weight / total })), fresh: fresh / total }
}

function scaled(candidates: Reading['candidates']): Reading['candidates'] {
  const total = candidates.reduce((sum, { probability }) => sum + probability, 0)
  return candidates.map(({ bytes, probability }) => ({ bytes, probability: probability / total }))
}
