import { decodeSizedFrame, encodeFrame, readChannelFrame } from '../../protocol/index.ts'
import type { ChannelTransport, FrameReceiver } from '../channel-transport.ts'
import type { FrameStream } from '../network.ts'

/** Channel frames as CBOR over a stream between two nodes. */
export function createStreamTransport(stream: FrameStream): ChannelTransport {
  const deliver = async (receiver: FrameReceiver): Promise<void> => {
    try {
      for await (const bytes of stream.frames) {
        const { value, memory } = decodeSizedFrame(bytes)
        receiver.frame(readChannelFrame(value), memory)
      }
      receiver.end()
    } catch (error) {
      receiver.end(error)
    }
  }
  return {
    start: receiver => void deliver(receiver),
    send: frame => stream.send(encodeFrame(frame)),
    async close(error) {
      if (error) stream.abort(error)
      else await stream.close()
    },
  }
}
