import type { ByteDistribution, Distribution } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Random } from '../../utils/random.ts'

export interface SpeculativeSamplingOptions {
  readonly random: Random
  /** Bytes drafted per round trip of the target. @default 8 */
  readonly draftBytes?: number
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/**
 * Lossless speculative sampling on bytes, whatever the tokenizers (spec A6 i and iii): the drafter's samples are
 * accepted with min(1, p/q), the first refused one is drawn anew from max(0, p - q). Yields accepted bytes in runs, one
 * per round trip of the target; their law is exactly the target's own at temperature 1. The sessions stay open.
 */
export async function* sampleSpeculatively(
  drafter: DecodeSession,
  target: DecodeSession,
  options: SpeculativeSamplingOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { random, draftBytes = 8, maxBytes = 4096, signal } = options
  const call: CallOptions = signal ? { signal } : {}
  for (let written = 0; written < maxBytes; ) {
    const { bytes, laws } = await draftSamples(drafter, Math.min(draftBytes, maxBytes - written), random, call)
    const targets = (await target.peek(Uint8Array.from(bytes.filter(symbol => symbol !== END)), undefined, call)).map(
      probabilitiesOf,
    )
    const run: number[] = []
    let ended = false
    for (let at = 0; at < targets.length && !ended; at++) {
      const p = targets[at] ?? new Float64Array()
      const q = laws[at]
      const proposed = bytes[at]
      const accepted =
        q && proposed !== undefined && random.next() * (q[proposed] ?? 0) < (p[proposed] ?? 0) ? proposed : undefined
      const symbol = accepted ?? draw(q ? beyond(p, q) : p, random)
      ended = symbol === END
      if (!ended) run.push(symbol)
      if (accepted === undefined) break
    }
    const text = Uint8Array.from(run.slice(0, maxBytes - written))
    written += text.length
    if (text.length > 0) {
      yield text
      await Promise.all([drafter, target].map(session => session.step({ commit: text }, call)))
    }
    if (ended) return
  }
}

/** What the target finds more probable than the drafter; the target's own law where rounding leaves nothing of it. */
function beyond(p: Float64Array, q: Float64Array): Float64Array {
  const more = p.map((value, index) => Math.max(0, value - (q[index] ?? 0)))
  return more.some(value => value > 0) ? more : p
}

/** Samples of the drafter with the laws they were drawn from; the last may be END. */
async function draftSamples(
  drafter: DecodeSession,
  count: number,
  random: Random,
  call: CallOptions,
): Promise<{ bytes: number[]; laws: Float64Array[] }> {
  const bytes: number[] = []
  const laws: Float64Array[] = []
  while (bytes.length < count && bytes.at(-1) !== END) {
    const ahead = await drafter.peek(Uint8Array.from(bytes), [bytes.length], call)
    const law = probabilitiesOf(ahead[0])
    laws.push(law)
    bytes.push(draw(law, random))
  }
  return { bytes, laws }
}

function draw(weights: Float64Array, random: Random): number {
  let left = random.next() * weights.reduce((sum, value) => sum + value, 0)
  for (let symbol = 0; symbol < weights.length; symbol++) {
    left -= weights[symbol] ?? 0
    if (left < 0) return symbol
  }
  return weights.findLastIndex(value => value > 0)
}

function probabilitiesOf(distribution: Distribution | undefined): ByteDistribution['probabilities'] {
  if (distribution?.kind !== 'bytes')
    throw new ModelNetError('UNSUPPORTED', 'speculative sampling needs sessions of byte distributions')
  return distribution.probabilities
}
