/** Lengths tried, in bytes. */
const LENGTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
/** How fast old rounds are forgotten. */
const MEMORY = 0.8

/**
 * Chooses how many bytes to draft: where most of them are accepted or a round trip is dear, long drafts; where the
 * members disagree and rounds are cheap, short ones. Estimates the chance that a drafted byte is accepted, and by least
 * squares what a round costs at all and per drafted byte, all with forgetting.
 */
export class DraftLength {
  readonly #min: number
  readonly #max: number
  #accepted: number
  #offered: number
  /** Sums for the regression of ms on bytes: weight, x, y, xx, xy. */
  #sums = [0, 0, 0, 0, 0] as [number, number, number, number, number]

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

  /** A round in which `followed` of `drafted` bytes became text; `left` when another byte was chosen instead. */
  observe(round: {
    readonly drafted: number
    readonly followed: number
    readonly left: boolean
    readonly ms: number
  }): void {
    const { drafted, followed, left, ms } = round
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

  /** The length with the most text per time: (1 - a^(k+1)) / (1 - a) bytes for round + k * byte ms. */
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
    return best
  }
}
