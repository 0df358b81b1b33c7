import type { MessagePort } from 'node:worker_threads'
import { readChannelFrame } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { ChannelTransport } from '../channel-transport.ts'

/** Channel frames as structured clones between two threads of this process: nothing is encoded. */
export function createPortTransport(port: MessagePort): ChannelTransport {
  return {
    start(receiver) {
      let ended = false
      const end = (error?: unknown): void => {
        if (ended) return
        ended = true
        receiver.end(error)
      }
      port.on('message', (value: unknown) => {
        if (ended) return
        try {
          receiver.frame(readChannelFrame(value), 0)
        } catch (error) {
          end(error)
        }
      })
      port.on('messageerror', end)
      port.on('close', () => end())
    },
    send(frame) {
      try {
        port.postMessage(frame)
      } catch (cause) {
        throw new ModelNetError('INVALID_REQUEST', 'this value cannot be sent to another thread', { cause })
      }
      return undefined
    },
    close() {
      port.close()
      return Promise.resolve()
    },
  }
}
