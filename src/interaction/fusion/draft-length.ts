/** Lengths tried, in bytes. */
const LENGTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
/** How fast old rounds are forgotten. */
const MEMORY = 0.8
/** How much faster going without drafts must be, and for how many symbols before drafts are tried again. */
const PAUSE_GAIN = 1.1
const PAUSE_SYMBOLS = 4
/** Rounds seen before drafts may be given up for a while. */
const LEAST_ROUNDS = 4

/**
 * Chooses how many bytes to draft: where most of them are accepted or a round trip is dear, long drafts; where the
 * members disagree and rounds are cheap, short ones; none for a while where hardly a drafted byte is accepted and asking
 * without a draft is quicker. Estimates the chance that a drafted byte is accepted, and by least squares what a round
 * costs at all and per drafted byte, all with forgetting. A draft that was accepted whole is followed by one twice as
 * long at least: who drafts may have changed, and is then better than remembered.
 */
export class DraftLength {
  readonly #min: number
  readonly #max: number
  #accepted: number
  #offered: number
  /** Sums for the regression of ms on bytes: weight, x, y, xx, xy. */
  #sums = [0, 0, 0, 0, 0] as [number, number, number, number, number]
  /** Of asking without a draft, in ms. */
  #plainMs: number | undefined
  #paused = 0
  #rounds = 0
  #accepting = 0

  constructor(options: { readonly minBytes?: number; readonly maxBytes?: number } = {}) {
    const { minBytes = 1, maxBytes = 64 } = options
    this.#min = minBytes
    this.#max = maxBytes
    // As if 9 of 10 bytes had been accepted: members are chosen because they agree more often than not.
    this.#accepted = 9
    this.#offered = 10
  }

  /** Chance that the next drafted byte becomes text, given that those before did. */
  get acceptance(): number {
    return this.#accepted / this.#offered
  }

  /** What a round costs whatever its length, and each drafted byte, in ms. */
  get cost(): { readonly round: number; readonly byte: number } {
    const [weight, x, y, xx, xy] = this.#sums
    if (weight === 0) return { round: 1, byte: 0 }
    const spread = weight * xx - x * x
    // Rounds of one length cannot tell the two apart: half of the cost is then taken to be the bytes'.
    const byte = spread > 1e-3 * x * x ? Math.max(0, (weight * xy - x * y) / spread) : y / Math.max(x, weight) / 2
    return { round: Math.max(1e-3, (y - byte * x) / weight), byte }
  }

  /**
   * A round in which `followed` of `drafted` bytes became text; `left` when another byte was chosen instead. `askMs` is
   * the part of its `ms` that went into asking, and not into the draft.
   */
  observe(round: {
    readonly drafted: number
    readonly followed: number
    readonly left: boolean
    readonly ms: number
    readonly askMs?: number
  }): void {
    const { drafted, followed, left, ms, askMs } = round
    if (askMs !== undefined) this.observePlain(askMs)
    this.#rounds++
    this.#accepting = followed === drafted && !left ? drafted : 0
    this.#accepted = this.#accepted * MEMORY + followed
    this.#offered = this.#offered * MEMORY + followed + (left ? 1 : 0) + 1e-3
    const [weight, x, y, xx, xy] = this.#sums.map(sum => sum * MEMORY)
    this.#sums = [
      (weight ?? 0) + 1,
      (x ?? 0) + drafted,
      (y ?? 0) + ms,
      (xx ?? 0) + drafted * drafted,
      (xy ?? 0) + drafted * ms,
    ]
  }

  /** What asking without a draft took. */
  observePlain(ms: number): void {
    this.#plainMs = this.#plainMs === undefined ? ms : MEMORY * this.#plainMs + (1 - MEMORY) * ms
  }

  /** The length with the most text per time: (1 - a^(k+1)) / (1 - a) bytes for round + k * byte ms; 0 for none. */
  next(): number {
    const a = Math.min(this.acceptance, 0.999)
    const { round, byte } = this.cost
    let best = this.#min
    let most = 0
    for (const length of LENGTHS) {
      if (length < this.#min || length > this.#max) continue
      const rate = (1 - a ** (length + 1)) / (1 - a) / (round + length * byte)
      if (rate > most) {
        most = rate
        best = length
      }
    }
    const isQuicker =
      this.#rounds >= LEAST_ROUNDS && this.#plainMs !== undefined && 1 / this.#plainMs > PAUSE_GAIN * most
    // Only bytes are drafted one by one: a symbol of a longer alphabet is worth more than a byte.
    if (isQuicker && this.#min === 1 && this.#paused < PAUSE_SYMBOLS) {
      this.#paused++
      return 0
    }
    this.#paused = 0
    const longer = this.#accepting > 0 ? LENGTHS.find(length => length >= 2 * this.#accepting) : undefined
    return Math.min(Math.max(best, longer ?? best), this.#max)
  }
}
