import { MAX_FRAME_BYTES } from '../protocol/index.ts'
import { AsyncQueue } from '../utils/async-queue.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { FrameStream } from './network.ts'

export interface LinkedStreamsOptions {
  /** Runs each delivery of one direction, in order, whenever it likes: latency and loss are made here. @default at once */
  readonly schedule?: readonly [left: Schedule, right: Schedule]
  /** Bytes that may wait unread before `send` waits. @default 1 MiB */
  readonly highWaterBytes?: number
}

export type Schedule = (deliver: () => void) => void

/** Two ends of a pipe within this process, without a socket: what one sends the other reads. */
export function createLinkedStreams(options: LinkedStreamsOptions = {}): [FrameStream, FrameStream] {
  const { schedule = [atOnce, atOnce], highWaterBytes = 1024 * 1024 } = options
  const left = new LinkedStream(schedule[0], highWaterBytes)
  const right = new LinkedStream(schedule[1], highWaterBytes)
  left.other = right
  right.other = left
  return [left, right]
}

const atOnce: Schedule = deliver => deliver()

class LinkedStream implements FrameStream {
  other: LinkedStream | undefined
  readonly frames: AsyncIterable<Uint8Array>
  readonly #schedule: Schedule
  readonly #highWaterBytes: number
  readonly #arrived: AsyncQueue<Uint8Array> = new AsyncQueue(() => this.abort(lost('its reader stopped')))
  #waitingBytes = 0
  /** Senders of the other side that wait until less is unread here. */
  #drained: (() => void)[] = []
  #error: Error | undefined
  #isClosed = false

  constructor(schedule: Schedule, highWaterBytes: number) {
    this.#schedule = schedule
    this.#highWaterBytes = highWaterBytes
    this.frames = this.#read()
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.length > MAX_FRAME_BYTES)
      throw new ModelNetError(
        'PAYLOAD_TOO_LARGE',
        `frame of ${frame.length} bytes, at most ${MAX_FRAME_BYTES} are sent`,
      )
    const { other } = this
    if (this.#isClosed || other === undefined) throw this.#error ?? lost('it was closed')
    other.#waitingBytes += frame.length // what is on its way counts too
    this.#schedule(() => other.#arrive(frame))
    while (other.#waitingBytes > this.#highWaterBytes && !this.#isClosed && !other.#isClosed)
      await new Promise<void>(resolve => other.#drained.push(resolve))
    if (this.#error) throw this.#error
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#finish(undefined)
    const { other } = this
    this.#schedule(() => other?.receiveEnd(undefined))
  }

  abort(error: Error): void {
    if (this.#isClosed) return
    this.#finish(error instanceof ModelNetError ? error : lost('it was aborted', error))
    const { other } = this
    this.#schedule(() => other?.receiveEnd(lost('it was reset')))
  }

  receiveEnd(error: ModelNetError | undefined): void {
    if (!this.#isClosed) this.#finish(error)
  }

  #arrive(frame: Uint8Array): void {
    if (!this.#isClosed) this.#arrived.push(frame)
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    for await (const frame of this.#arrived) {
      this.#waitingBytes -= frame.length
      this.#release()
      yield frame
    }
  }

  #finish(error: ModelNetError | undefined): void {
    this.#isClosed = true
    this.#error = error
    if (error) this.#arrived.fail(error)
    else this.#arrived.end()
    this.#release()
    const { other } = this
    if (other) other.#release()
  }

  #release(): void {
    for (const resume of this.#drained.splice(0)) resume()
  }
}

const lost = (how: string, cause?: unknown): ModelNetError =>
  new ModelNetError('PEER_LOST', `the stream has ended: ${how}`, { cause })
