/** Where a growing text stands between whole characters (RFC 3629, section 4). */
export class Utf8Progress {
  #left = 0
  /** Bounds of the next continuation byte: the first after some leads is narrower. */
  #low = 0x80
  #high = 0xbf

  /** No character is in progress. */
  get whole(): boolean {
    return this.#left === 0
  }

  allows(byte: number): boolean {
    if (this.#left > 0) return byte >= this.#low && byte <= this.#high
    return byte < 0x80 || (byte >= 0xc2 && byte < 0xf5)
  }

  allowsAll(bytes: Uint8Array): boolean {
    const copy = new Utf8Progress()
    copy.#left = this.#left
    copy.#low = this.#low
    copy.#high = this.#high
    return bytes.every(byte => copy.push(byte))
  }

  /** False, and unchanged, for a byte that is not allowed here. */
  push(byte: number): boolean {
    if (!this.allows(byte)) return false
    const starts = this.#left === 0
    if (starts) this.#left = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    else this.#left--
    this.#low = starts && byte === 0xe0 ? 0xa0 : starts && byte === 0xf0 ? 0x90 : 0x80
    this.#high = starts && byte === 0xed ? 0x9f : starts && byte === 0xf4 ? 0x8f : 0xbf
    return true
  }
}
