/** Longest pattern that is looked for, in bytes, and how often it must have come in a row. */
const LONGEST_PATTERN = 64
const LEAST_TIMES = 8
/** Looked at so often, in bytes. */
const INTERVAL = 16

/**
 * Notices a text that goes round in circles, as joint greedy texts do that no member would end (spec A0: repetition
 * stop): its last `bytes` are one pattern, again and again.
 */
export class RepetitionGuard {
  readonly #bytes: number
  #tail: Uint8Array
  #length = 0
  #unchecked = 0

  constructor(bytes: number) {
    this.#bytes = Math.max(bytes, LEAST_TIMES)
    this.#tail = new Uint8Array(2 * this.#bytes)
  }

  /** True when the text repeats itself with these bytes. */
  push(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.#length === this.#tail.length) {
        this.#tail.copyWithin(0, this.#bytes)
        this.#length = this.#bytes
      }
      this.#tail[this.#length++] = byte
    }
    this.#unchecked += bytes.length
    if (this.#unchecked < INTERVAL || this.#length < this.#bytes) return false
    this.#unchecked = 0
    const longest = Math.min(LONGEST_PATTERN, Math.floor(this.#bytes / LEAST_TIMES))
    for (let period = 1; period <= longest; period++) if (this.#repeats(period)) return true
    return false
  }

  #repeats(period: number): boolean {
    const from = this.#length - this.#bytes + period
    for (let at = this.#length - 1; at >= from; at--) if (this.#tail[at] !== this.#tail[at - period]) return false
    return true
  }
}
