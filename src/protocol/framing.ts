import { ModelNetError } from '../utils/errors.ts'
import { MAX_FRAME_BYTES } from './limits.ts'

/** Bytes of the length before each frame: an unsigned 32-bit integer, big-endian. */
export const FRAME_HEADER_BYTES = 4

/** A frame with its length before it, as it is written to a byte stream. Throws PAYLOAD_TOO_LARGE beyond `MAX_FRAME_BYTES`. */
export function prefixFrame(frame: Uint8Array): Uint8Array {
  if (frame.length > MAX_FRAME_BYTES)
    throw new ModelNetError('PAYLOAD_TOO_LARGE', `frame has ${frame.length} bytes, at most ${MAX_FRAME_BYTES} are sent`)
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.length)
  new DataView(bytes.buffer).setUint32(0, frame.length)
  bytes.set(frame, FRAME_HEADER_BYTES)
  return bytes
}

/**
 * Cuts a byte stream into frames. A frame that lies within one chunk is handed out as a view of that chunk; one that is
 * spread over several is gathered in one allocation of its stated length, made only when its bytes begin to arrive and
 * never beyond `MAX_FRAME_BYTES`.
 */
export class FrameReader {
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  /** The frame being gathered; grows with what has arrived, up to its stated length. */
  #frame: Uint8Array | undefined
  #length = 0
  #filled = 0

  /** True between frames: a stream that ends elsewhere was cut off. */
  get idle(): boolean {
    return this.#headerFilled === 0
  }

  /** Frames completed by this chunk, in order. Throws PROTOCOL_ERROR for a length of 0 or beyond `MAX_FRAME_BYTES`. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let position = 0
    while (position < chunk.length) {
      if (this.#headerFilled < FRAME_HEADER_BYTES) {
        position += this.#readHeader(chunk, position)
        continue
      }
      const needed = this.#length - this.#filled
      if (this.#filled === 0 && chunk.length - position >= needed) {
        const frame = chunk.subarray(position, position + needed)
        position += needed
        this.#reset()
        yield frame
        continue
      }
      const part = chunk.subarray(position, position + needed)
      position += part.length
      const frame = this.#gather(part)
      if (this.#filled < this.#length) continue
      this.#reset()
      yield frame
    }
  }

  #readHeader(chunk: Uint8Array, position: number): number {
    const taken = chunk.subarray(position, position + FRAME_HEADER_BYTES - this.#headerFilled)
    this.#header.set(taken, this.#headerFilled)
    this.#headerFilled += taken.length
    if (this.#headerFilled < FRAME_HEADER_BYTES) return taken.length
    this.#length = new DataView(this.#header.buffer).getUint32(0)
    if (this.#length === 0 || this.#length > MAX_FRAME_BYTES)
      throw new ModelNetError(
        'PROTOCOL_ERROR',
        `frame of ${this.#length} bytes announced, expected 1 to ${MAX_FRAME_BYTES}`,
      )
    return taken.length
  }

  /** Doubles as bytes arrive, so that a length alone makes a peer's partner allocate no more than twice what was sent. */
  #gather(part: Uint8Array): Uint8Array {
    const filled = this.#filled + part.length
    let frame = this.#frame
    if (frame === undefined || frame.length < filled) {
      const larger = new Uint8Array(Math.min(this.#length, Math.max(filled, 2 * (frame?.length ?? 0), 4096)))
      if (frame !== undefined) larger.set(frame.subarray(0, this.#filled))
      frame = larger
      this.#frame = larger
    }
    frame.set(part, this.#filled)
    this.#filled = filled
    return frame
  }

  #reset(): void {
    this.#headerFilled = 0
    this.#frame = undefined
    this.#length = 0
    this.#filled = 0
  }
}
