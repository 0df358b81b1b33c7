import { type FrameHeader, type YamuxMuxerInit, yamux } from '@libp2p/yamux'

/** `FrameType.WindowUpdate` of the yamux specification. */
const WINDOW_UPDATE = 1
/** A quarter of the window a stream begins with: the sender always has three quarters left to send into. */
const LEAST_UPDATE_BYTES: number = 64 * 1024
/** Longer messages are not copied into one piece: one system call more costs less. */
const MAX_COPIED_BYTES: number = 16 * 1024

/** A byte string, in one piece or in several. */
interface Bytes {
  readonly byteLength: number
  subarray(): Uint8Array
}

/** The two methods of js-yamux's muxer through which all that it sends goes. */
interface Sending {
  send(data: Bytes): boolean
  sendFrame(header: FrameHeader, data?: Bytes): boolean
}

/**
 * yamux with one packet for each message. js-yamux answers every frame with a window update, and writes the header of a
 * frame apart from its body: for a step of a decode session that is four packets with their system calls and wake-ups
 * each way instead of one. Here windows are given back by quarters (other implementations do it by halves), and short
 * frames are sent in one piece. Updates with flags open, accept and close streams, and are never held back.
 */
export function leanYamux(init: YamuxMuxerInit): ReturnType<typeof yamux> {
  const make = yamux(init)
  return () => {
    const factory = make()
    const { createStreamMuxer } = factory
    factory.createStreamMuxer = connection => {
      const muxer = createStreamMuxer.call(factory, connection)
      // Both are there in the version that is installed (pinned); TypeScript hides them.
      sendLess(muxer as unknown as Sending)
      return muxer
    }
    return factory
  }
}

/** The change to one muxer: see `leanYamux`. */
export function sendLess(muxer: Sending): void {
  const send = muxer.send.bind(muxer)
  const sendFrame = muxer.sendFrame.bind(muxer)
  /** Bytes of window not given back yet, by stream. */
  const owed = new Map<number, number>()
  muxer.send = data => send(data.byteLength > MAX_COPIED_BYTES ? data : data.subarray())
  muxer.sendFrame = (header, data) => {
    const { type, flag, streamID } = header
    if (type !== WINDOW_UPDATE) return sendFrame(header, data)
    const length = header.length + (owed.get(streamID) ?? 0)
    if (flag === 0 && length < LEAST_UPDATE_BYTES) {
      owed.set(streamID, length)
      return true
    }
    owed.delete(streamID)
    return sendFrame({ ...header, length }, data)
  }
}
