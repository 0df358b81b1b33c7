import type { Stream } from '@libp2p/interface'
import { FrameReader, prefixFrame } from '../../../protocol/index.ts'
import { AsyncQueue } from '../../../utils/async-queue.ts'
import { ModelNetError, toModelNetError } from '../../../utils/errors.ts'
import type { FrameStream } from '../../network.ts'
import type { TokenBucket } from '../../token-bucket.ts'

/** Bytes read ahead of the reader before the other side is made to wait, and where it may go on. */
const HIGH_WATER = 1024 * 1024
const LOW_WATER = 256 * 1024
/** Frames of one tick are sent in one piece up to here: a call's start and end are one packet and one system call. */
const MAX_JOINED_BYTES = 16 * 1024
/** How long a closing stream waits for the other side to close too. */
const CLOSE_TIMEOUT_MS = 1000

export interface FrameStreamOptions {
  /** Node id of the other side, for messages. */
  readonly peer: string
  /** Frames the peer may send; when it is empty the peer is made to wait, not cut off. */
  readonly frames: TokenBucket
  /** Called when the peer sent what is not a frame. */
  onViolation(error: ModelNetError): void
}

/** Puts frames of `protocol/codec.ts` over a libp2p stream, which is an event target of byte chunks in any cut. */
export function toFrameStream(stream: Stream, options: FrameStreamOptions): FrameStream {
  const { peer, frames: allowance, onViolation } = options
  const reader = new FrameReader()
  const queue = new AsyncQueue<Uint8Array>(() => abort(lost('its reader stopped')))
  let ended = false
  let waiting = 0
  let sending: Promise<void> = Promise.resolve()
  let senders = 0
  /** Frames of this tick, and when they are sent. */
  let batch: Uint8Array[] = []
  let flushing: Promise<void> | undefined
  let throttle: NodeJS.Timeout | undefined

  const lost = (why: string, cause?: unknown): ModelNetError =>
    new ModelNetError('PEER_LOST', `the stream to ${peer} has ended: ${why}`, { cause })

  const finish = (error?: ModelNetError): void => {
    if (ended) return
    ended = true
    clearTimeout(throttle)
    if (error) queue.fail(error)
    else queue.end()
  }
  const abort = (error: Error): void => {
    finish(toModelNetError(error, 'PEER_LOST'))
    stream.abort(error)
  }

  const pause = (): void => {
    if (stream.readStatus === 'readable') stream.pause()
  }
  const resume = (): void => {
    if (throttle === undefined && waiting < LOW_WATER && stream.readStatus === 'paused') stream.resume()
  }
  /** Too many frames a second: stop reading until the bucket has refilled, so that the peer's window runs out. */
  const slowDown = (): void => {
    if (throttle !== undefined) return
    pause()
    throttle = setTimeout(() => {
      throttle = undefined
      resume()
    }, allowance.waitMs(1))
    throttle.unref()
  }

  stream.addEventListener('message', event => {
    if (ended) return
    try {
      for (const frame of reader.push(event.data.subarray())) {
        waiting += frame.byteLength
        queue.push(frame)
        if (!allowance.take()) slowDown()
      }
      if (waiting > HIGH_WATER) pause()
    } catch (error) {
      const violation = toModelNetError(error, 'PROTOCOL_ERROR')
      abort(violation)
      onViolation(violation)
    }
  })
  stream.addEventListener('end', () => {
    if (ended) return
    if (!reader.idle) return finish(lost('it was cut off within a frame'))
    if (stream.status === 'reset') return finish(lost('it was reset')) // libp2p says `end` before it says so itself
    finish()
    closeWrite().catch(() => undefined) // the other side is gone: nothing is left to close
  })
  stream.addEventListener('close', event => finish(event.error ? lost('it was reset', event.error) : undefined))

  /** Resolves when the transport can take more. `Stream.onDrain` is not used: its promise stays resolved after one use. */
  const drained = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (stream.writeStatus === 'closed') done(lost('it was closed'))
        else if (!stream.writableNeedsDrain) done()
      }
      // libp2p goes on sending in a microtask after `drain`, and may fill up again; look after that.
      const onDrain = (): void => queueMicrotask(() => queueMicrotask(check))
      const onClose = (): void => done(lost('it was closed'))
      const done = (error?: Error): void => {
        stream.removeEventListener('drain', onDrain)
        stream.removeEventListener('close', onClose)
        if (error) reject(error)
        else resolve()
      }
      stream.addEventListener('drain', onDrain)
      stream.addEventListener('close', onClose)
      check()
    })
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (stream.writeStatus !== 'writable') throw lost('it is closed')
    if (stream.writableNeedsDrain) await drained()
    try {
      if (stream.send(bytes)) return
    } catch (cause) {
      throw lost('it does not take frames', cause)
    }
    await drained()
  }
  /** Sends the frames of this tick. */
  const flush = async (): Promise<void> => {
    const pieces = join(batch)
    batch = []
    flushing = undefined
    const [only] = pieces
    if (only && pieces.length === 1 && senders === 0 && !stream.writableNeedsDrain) return write(only)
    // Another frame waits for the transport: keep the order.
    senders++
    const turn = sending.then(async () => {
      for (const piece of pieces) await write(piece)
    })
    sending = turn.catch(() => undefined).finally(() => senders--)
    return turn
  }
  const closeWrite = async (): Promise<void> => {
    if (stream.writeStatus !== 'writable') return
    await stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) })
  }

  return {
    async send(payload) {
      const bytes = prefixFrame(payload)
      if (ended && stream.status !== 'open') throw lost('it is closed')
      batch.push(bytes)
      // After all that is ready to run: what answers a call and ends it goes together.
      flushing ??= new Promise((resolve, reject) => process.nextTick(() => flush().then(resolve, reject)))
      return flushing
    },
    frames: read(),
    async close() {
      await flushing?.catch(() => undefined)
      await sending
      try {
        await closeWrite()
        finish()
        if (stream.status === 'open' || stream.status === 'closing') await closed()
      } catch (error) {
        abort(lost('it did not close in time', error))
      }
    },
    abort,
  }

  async function* read(): AsyncGenerator<Uint8Array, void> {
    for await (const frame of queue) {
      waiting -= frame.byteLength
      resume()
      yield frame
    }
  }

  function closed(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(new Error('timeout')), CLOSE_TIMEOUT_MS)
      const onClose = (): void => done()
      const done = (error?: Error): void => {
        clearTimeout(timer)
        stream.removeEventListener('close', onClose)
        if (error) reject(error)
        else resolve()
      }
      stream.addEventListener('close', onClose)
    })
  }
}

/** The same bytes in fewer pieces: short ones that follow each other are copied together. */
function join(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  if (frames.length <= 1) return frames
  const total = frames.reduce((sum, { length }) => sum + length, 0)
  return total <= MAX_JOINED_BYTES ? [Buffer.concat(frames)] : frames
}
