import type { Distribution } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import type { Random } from '../../utils/random.ts'
import type { Utf8Progress } from './utf8.ts'

export interface ChooseOptions {
  /** 0 takes the best; 1 draws from the distribution as it is. @default 0 */
  readonly temperature?: number
  /** Draws among so many of the best symbols (DuetNet's T). @default all */
  readonly topT?: number
  /** Draws among the smallest set of the best with so much of the probability. @default 1 */
  readonly topP?: number
}

interface Symbol {
  readonly bytes: Uint8Array
  readonly logprob: number
}

const END_BYTES = new Uint8Array()

/**
 * Chooses the next bytes of a text, empty for its end. What would break a character is never chosen, nor the end in the
 * middle of one, whatever members disagree about.
 */
export function choose(
  distribution: Distribution,
  { temperature = 0, topT = Number.POSITIVE_INFINITY, topP = 1 }: ChooseOptions,
  random: Random,
  text: Utf8Progress,
): Uint8Array {
  const symbols = symbolsOf(distribution, text)
  if (temperature === 0 || topT <= 1) return best(symbols).bytes
  const ranked = symbols.sort((a, b) => b.logprob - a.logprob || Buffer.compare(a.bytes, b.bytes))
  const max = ranked[0]?.logprob ?? 0
  const weights = ranked.slice(0, topT).map(({ logprob }) => Math.exp((logprob - max) / temperature))
  const limit = topP * weights.reduce((sum, weight) => sum + weight, 0)
  let count = 0
  let mass = 0
  for (; count < weights.length && (count === 0 || mass < limit); count++) mass += weights[count] ?? 0
  let left = random.next() * mass
  for (let index = 0; index < count; index++) {
    left -= weights[index] ?? 0
    if (left < 0) return ranked[index]?.bytes ?? END_BYTES
  }
  return ranked[count - 1]?.bytes ?? END_BYTES
}

function symbolsOf(distribution: Distribution, text: Utf8Progress): Symbol[] {
  const symbols: Symbol[] = []
  if (distribution.kind === 'bytes') {
    for (const [symbol, probability] of distribution.probabilities.entries())
      if (probability > 0 && (symbol === END ? text.whole : text.allows(symbol)))
        symbols.push({ bytes: symbol === END ? END_BYTES : Uint8Array.of(symbol), logprob: Math.log(probability) })
    return symbols
  }
  for (const { bytes, logprob } of distribution.candidates) if (text.allowsAll(bytes)) symbols.push({ bytes, logprob })
  if (text.whole && distribution.end > Number.NEGATIVE_INFINITY)
    symbols.push({ bytes: END_BYTES, logprob: distribution.end })
  return symbols
}

function best(symbols: readonly Symbol[]): Symbol {
  let first: Symbol = { bytes: END_BYTES, logprob: Number.NEGATIVE_INFINITY }
  for (const symbol of symbols) if (symbol.logprob > first.logprob) first = symbol
  return first
}
