import type { ChannelTransport } from '../network/index.ts'
import { readChannelFrame } from '../protocol/index.ts'
import { ModelNetError } from '../utils/errors.ts'

/** One end of the pipe between two processes of Node: `process` in the child, the `ChildProcess` in the parent. */
export interface ProcessEnd {
  readonly connected: boolean
  send?(message: unknown, callback: (error: Error | null) => void): boolean
  disconnect(): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
}

/**
 * Channel frames between this process and one it started, as structured clones (`serialization: 'advanced'`): a round
 * trip of 2 kB takes 31 µs where a worker thread takes 18 and an evaluated token 250 and more.
 */
export function createProcessTransport(other: ProcessEnd): ChannelTransport {
  return {
    start(receiver) {
      let ended = false
      const end = (error?: unknown): void => {
        if (ended) return
        ended = true
        receiver.end(error)
      }
      other.on('message', value => {
        if (ended) return
        try {
          receiver.frame(readChannelFrame(value), 0)
        } catch (error) {
          end(error)
        }
      })
      other.on('disconnect', () => end())
    },
    send(frame) {
      if (!other.connected || !other.send) throw new ModelNetError('PEER_LOST', 'the other process has ended')
      other.send(frame, () => undefined) // a failure is told by `disconnect`
      return undefined
    },
    async close() {
      if (other.connected) other.disconnect()
    },
  }
}
