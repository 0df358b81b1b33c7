import { MAX_FRAME_BYTES } from '../protocol/index.ts'
import { AsyncQueue } from '../utils/async-queue.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { FrameStream } from './network.ts'

export interface LinkedStreamsOptions {
  /** How long a frame takes; frames keep their order. @default at once */
  readonly latency?: { readonly clock: Clock; ms(): number }
  /** Bytes that may wait unread before `send` waits. @default 1 MiB */
  readonly highWaterBytes?: number
}

/** Two ends of a pipe within this process, without a socket: what one sends the other reads. */
export function createLinkedStreams(options: LinkedStreamsOptions = {}): [FrameStream, FrameStream] {
  const left = new LinkedStream(options)
  const right = new LinkedStream(options)
  left.other = right
  right.other = left
  return [left, right]
}

class LinkedStream implements FrameStream {
  other: LinkedStream | undefined
  readonly #options: LinkedStreamsOptions
  readonly #queue: AsyncQueue<Uint8Array>
  readonly drained: (() => void)[] = []
  #waitingBytes = 0
  /** Deliveries happen one after another, so that a lower latency does not overtake. */
  #wire: Promise<void> = Promise.resolve()
  #error: Error | undefined
  #closed = false

  constructor(options: LinkedStreamsOptions) {
    this.#options = options
    this.#queue = new AsyncQueue(() => this.abort(lost('its reader stopped')))
  }

  get frames(): AsyncIterable<Uint8Array> {
    return this.#read()
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.length > MAX_FRAME_BYTES)
      throw new ModelNetError(
        'PAYLOAD_TOO_LARGE',
        `frame has ${frame.length} bytes, at most ${MAX_FRAME_BYTES} are sent`,
      )
    const other = this.other
    if (this.#closed || other === undefined) throw this.#error ?? lost('it was closed')
    this.#transmit(() => other.arrive(frame))
    const { highWaterBytes = 1024 * 1024 } = this.#options
    while (other.#waitingBytes > highWaterBytes && !this.#closed)
      await new Promise<void>(resolve => other.drained.push(resolve))
    if (this.#error) throw this.#error
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.finish()
    this.#transmit(() => this.other?.finish())
  }

  abort(error: Error): void {
    if (this.#closed) return
    this.finish(error instanceof ModelNetError ? error : lost('it was aborted', error))
    this.#transmit(() => this.other?.finish(lost('it was reset')))
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    for await (const frame of this.#queue) {
      this.#waitingBytes -= frame.length
      for (const resume of this.drained.splice(0)) resume()
      yield frame
    }
  }

  arrive(frame: Uint8Array): void {
    if (this.#closed) return
    this.#waitingBytes += frame.length
    this.#queue.push(frame)
  }

  finish(error?: ModelNetError): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    if (error) this.#queue.fail(error)
    else this.#queue.end()
    for (const resume of this.other?.drained.splice(0) ?? []) resume()
  }

  #transmit(deliver: () => void): void {
    const { latency } = this.#options
    if (!latency) {
      deliver()
      return
    }
    const due = latency.clock.sleep(latency.ms())
    this.#wire = this.#wire.then(() => due).then(deliver)
  }
}

const lost = (how: string, cause?: unknown): ModelNetError =>
  new ModelNetError('PEER_LOST', `the stream has ended: ${how}`, { cause })
