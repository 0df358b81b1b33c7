/**
 * Joins code that pushes to code that pulls: values pushed are read once, in order, by one reader.
 * The producer is expected to bound what it pushes (credit); `size` tells how much waits.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = []
  readonly #waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = []
  readonly #onReturn: (() => void) | undefined
  #ended = false
  #error: unknown

  /** `onReturn` is called when the reader stops before the end. */
  constructor(onReturn?: () => void) {
    this.#onReturn = onReturn
  }

  get size(): number {
    return this.#values.length
  }

  push(value: T): void {
    if (this.#ended) return
    const reader = this.#waiting.shift()
    if (reader) reader.resolve({ value, done: false })
    else this.#values.push(value)
  }

  /** No more values; what waits is still read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const reader of this.#waiting.splice(0)) reader.resolve({ value: undefined, done: true })
  }

  /** Ends with an error, after what already waits has been read. */
  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    const [first, ...others] = this.#waiting.splice(0)
    if (!first) return
    this.#error = undefined
    first.reject(error)
    for (const reader of others) reader.resolve({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#values.shift()
    if (value !== undefined) return Promise.resolve({ value, done: false })
    if (this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      return Promise.reject(error)
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<T>> {
    const early = !this.#ended
    this.#values.length = 0
    this.end()
    if (early) this.#onReturn?.()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return this
  }
}
