export interface PartReaderEvents {
  /** The reader took a part. */
  taken(): void
  /** The bytes that wait unread have changed by so many. */
  held(bytes: number): void
  /** The reader stopped before the end. */
  stopped(): void
}

/**
 * The parts of one call that arrived and were not read yet, for one reader. It differs from a plain queue in telling
 * what is read, which is what credit and the memory limit are counted by. Errors wait until they are read, so a call
 * that nobody reads fails silently.
 */
export class PartReader implements AsyncIterableIterator<unknown> {
  readonly #events: PartReaderEvents
  readonly #parts: { readonly part: unknown; readonly bytes: number }[] = []
  readonly #readers: { resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void }[] = []
  #bytes = 0
  #ended = false
  #stopped = false
  #error: unknown

  constructor(events: PartReaderEvents) {
    this.#events = events
  }

  push(part: unknown, bytes: number): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader) {
      this.#events.taken()
      reader.resolve({ value: part, done: false })
    } else {
      this.#parts.push({ part, bytes })
      this.#hold(bytes)
    }
  }

  /** No more parts, with an error or without; what waits is still read unless `now`. The bytes count no longer. */
  end(error: unknown, now: boolean): void {
    if (this.#stopped) return
    if (now) this.#parts.length = 0
    // A caller may end a call whose other half has already ended: what it says then wins.
    if (this.#ended && !now) return
    this.#ended = true
    this.#error = error
    this.#hold(-this.#bytes)
    const readers = this.#readers.splice(0)
    if (readers.length > 0) this.#error = undefined
    for (const [index, reader] of readers.entries())
      if (index === 0 && error !== undefined) reader.reject(error)
      else reader.resolve(DONE)
  }

  next(): Promise<IteratorResult<unknown>> {
    const entry = this.#parts.shift()
    if (entry) {
      if (!this.#ended) {
        this.#hold(-entry.bytes)
        this.#events.taken()
      }
      return Promise.resolve({ value: entry.part, done: false })
    }
    if (this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      return Promise.reject(error)
    }
    if (this.#ended) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<unknown>> {
    const early = !this.#ended
    this.end(undefined, true)
    this.#stopped = true
    if (early) this.#events.stopped()
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return this
  }

  #hold(bytes: number): void {
    if (bytes === 0) return
    this.#bytes += bytes
    this.#events.held(bytes)
  }
}

const DONE: IteratorResult<unknown> = { value: undefined, done: true }
