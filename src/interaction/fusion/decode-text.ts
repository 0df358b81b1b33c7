import type { Distribution, FinishReason, Usage } from '../../protocol/index.ts'
import type { DecodeSession } from '../../resource/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { isModelNetError } from '../../utils/errors.ts'
import { createRandom } from '../../utils/random.ts'
import { type ChooseOptions, choose } from './choose.ts'
import { RepetitionGuard } from './repetition.ts'
import { Utf8Progress } from './utf8.ts'

export interface DecodeTextOptions extends ChooseOptions {
  /** Symbols chosen at most; for a session of bytes four bytes count as one token. @default 1024 */
  readonly maxTokens?: number
  /** Bytes at most, whatever the alphabet. @default no further limit */
  readonly maxBytes?: number
  /** Same seed, same text; every symbol takes a fresh random number. @default 0 */
  readonly seed?: number
  /** Ends a text whose last bytes, so many, are one pattern again and again, as `length` does. @default 256 */
  readonly repetitionBytes?: number
  /** Texts that end the answer; they are not part of it. */
  readonly stop?: readonly string[]
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export interface DecodeTextMetrics {
  readonly bytes: number
  /** Symbols chosen, the end included. */
  readonly symbols: number
  /** Until the first byte was chosen, and in all. */
  readonly firstMs: number
  readonly totalMs: number
}

export type DecodeTextPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | {
      readonly type: 'finish'
      readonly reason: FinishReason
      readonly usage: Usage
      readonly metrics: DecodeTextMetrics
    }

/** Bytes that stand for one token where a session has none: what English takes in common vocabularies. */
const BYTES_PER_TOKEN = 4
const DEFAULT_MAX_TOKENS = 1024
const REPETITION_BYTES = 256

/**
 * Writes a text with a decode session, of one model or of many: one step per symbol, whole characters out, then
 * `finish`. A full context ends the text as `length` does. The session stays open: it is its opener's. Rejects with
 * what the session rejects with, and with the signal's reason.
 */
export async function* decodeText(
  session: DecodeSession,
  options: DecodeTextOptions = {},
): AsyncGenerator<DecodeTextPart, void, undefined> {
  const { maxTokens = DEFAULT_MAX_TOKENS, maxBytes, seed = 0, stop = [], signal, clock = systemClock } = options
  const repetition = new RepetitionGuard(options.repetitionBytes ?? REPETITION_BYTES)
  const call = signal ? { signal } : {}
  const overBytes = session.distribution.kind === 'bytes'
  const maxSymbols = overBytes ? maxTokens * BYTES_PER_TOKEN : maxTokens
  const random = createRandom(seed)
  const started = clock.monotonic()
  const progress = new Utf8Progress()
  const output = new StoppingText(stop)
  let bytes = 0
  let symbols = 0
  let firstMs = 0
  let reason: FinishReason | undefined
  let distribution = await session.next(call)
  while (!reason) {
    signal?.throwIfAborted()
    const chosen = choose(distribution, options, random, progress)
    if (symbols++ === 0) firstMs = clock.monotonic() - started
    if (chosen.length === 0) {
      reason = 'stop'
      break
    }
    for (const byte of chosen) progress.push(byte)
    bytes += chosen.length
    const text = output.push(chosen)
    if (text) yield { type: 'text-delta', text }
    if (output.stopped) reason = 'stop'
    else if (symbols >= maxSymbols || bytes >= (maxBytes ?? Number.POSITIVE_INFINITY) || repetition.push(chosen))
      reason = 'length'
    else {
      const next = await afterCommit(session, chosen, call)
      if (next) distribution = next
      else reason = 'length'
    }
  }
  const rest = output.end()
  if (rest) yield { type: 'text-delta', text: rest }
  const completionTokens = overBytes ? Math.ceil(bytes / BYTES_PER_TOKEN) : symbols
  yield {
    type: 'finish',
    reason,
    usage: { promptTokens: 0, completionTokens },
    metrics: { bytes, symbols, firstMs, totalMs: clock.monotonic() - started },
  }
}

/** Commit and question in one round trip; undefined when the context is full. */
async function afterCommit(
  session: DecodeSession,
  commit: Uint8Array,
  call: { readonly signal?: AbortSignal },
): Promise<Distribution | undefined> {
  try {
    const { distributions } = await session.step({ commit, next: true }, call)
    return distributions?.[0] ?? (await session.next(call))
  } catch (error) {
    if (isModelNetError(error) && error.code === 'CONTEXT_OVERFLOW') return undefined
    throw error
  }
}

/** Bytes in, whole characters out, cut before the first stop text; what may be the start of one is held back. */
class StoppingText {
  stopped = false
  readonly #stops: readonly string[]
  readonly #decoder = new TextDecoder()
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter(stop => stop.length > 0)
  }

  push(bytes: Uint8Array): string {
    if (this.stopped) return ''
    const text = this.#held + this.#decoder.decode(bytes, { stream: true })
    const found = this.#stops.map(stop => text.indexOf(stop)).filter(index => index >= 0)
    if (found.length > 0) {
      this.stopped = true
      this.#held = ''
      return text.slice(0, Math.min(...found))
    }
    const keep = Math.max(0, ...this.#stops.map(stop => overlap(text, stop)))
    this.#held = text.slice(text.length - keep)
    return text.slice(0, text.length - keep)
  }

  /** What was held back; half a character at the end of a text that was cut is dropped. */
  end(): string {
    return this.stopped ? '' : this.#held
  }
}

/** Length of the longest end of the text that is a proper beginning of the stop text. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length
  return 0
}
