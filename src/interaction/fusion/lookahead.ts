import type { Distribution } from '../../protocol/index.ts'

/** Distributions along a proposed continuation, used up as the text follows it. */
export class Lookahead {
  readonly #bytes: Uint8Array
  readonly #distributions: ReadonlyMap<number, Distribution>
  readonly #pieces: readonly number[] | undefined
  #offset = 0
  #left = false

  /** Ascending `offsets` and `distributions` go together. `strict`: the text must take the pieces between the offsets. */
  constructor(
    bytes: Uint8Array,
    offsets: readonly number[],
    distributions: readonly Distribution[],
    strict: boolean = false,
  ) {
    this.#bytes = bytes
    this.#pieces = strict ? offsets : undefined
    this.#distributions = new Map(
      offsets.flatMap((offset, index) => {
        const distribution = distributions[index]
        return distribution ? [[offset, distribution]] : []
      }),
    )
  }

  /** The distribution where the text stands; undefined when it was not asked for, or the text has left the proposal. */
  get here(): Distribution | undefined {
    return this.#left ? undefined : this.#distributions.get(this.#offset)
  }

  /** Bytes of the proposal that became text. */
  get followed(): number {
    return this.#offset
  }

  /** The text has taken another turn. */
  get left(): boolean {
    return this.#left
  }

  commit(bytes: Uint8Array): void {
    const end = this.#offset + bytes.length
    const follows = Buffer.compare(this.#bytes.subarray(this.#offset, end), bytes) === 0
    const isPiece = !this.#pieces || this.#pieces.find(offset => offset > this.#offset) === end
    if (this.#left || !follows || !isPiece) this.#left = true
    else this.#offset = end
  }
}
