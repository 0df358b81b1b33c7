import type { WebSocket } from 'ws'
import { decodeSizedFrame, encodeFrame, readChannelFrame } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { ChannelTransport } from '../channel-transport.ts'

/** Bytes that may wait to be sent before the sender is made to wait. */
const MAX_BUFFERED_BYTES: number = 1024 * 1024

/**
 * Channel frames as CBOR in the binary messages of an open WebSocket, one each. Limits of size are the socket's
 * (`maxPayload`), so that they are checked before a message is gathered.
 */
export function createWebSocketTransport(socket: WebSocket): ChannelTransport {
  return {
    start(receiver) {
      let ended = false
      const end = (error?: unknown): void => {
        if (ended) return
        ended = true
        receiver.end(error)
      }
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (ended) return
        try {
          if (!isBinary) throw new ModelNetError('PROTOCOL_ERROR', 'the peer sent a text where frames are binary')
          const { value, memory } = decodeSizedFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
          receiver.frame(readChannelFrame(value), memory)
        } catch (error) {
          end(error)
        }
      })
      socket.on('error', end)
      socket.on('close', () => end())
    },
    send(frame) {
      const bytes = encodeFrame(frame)
      if (socket.readyState !== socket.OPEN) throw new ModelNetError('PEER_LOST', 'the WebSocket has ended')
      if (socket.bufferedAmount < MAX_BUFFERED_BYTES) {
        socket.send(bytes, () => undefined) // a failure is told by `close`
        return undefined
      }
      return new Promise((resolve, reject) =>
        socket.send(bytes, error => {
          if (error) reject(error)
          else resolve()
        }),
      )
    },
    async close(error) {
      if (error) socket.terminate()
      else socket.close()
    },
  }
}
