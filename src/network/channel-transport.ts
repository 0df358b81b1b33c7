import type { ChannelFrame } from '../protocol/index.ts'

/** What carries the frames of a channel: a stream to a peer or the port of a worker. Implementations: `channel-transports/`. */
export interface ChannelTransport {
  /** Starts delivery. Called once. */
  start(receiver: FrameReceiver): void
  /**
   * Frames leave in the order of the calls, awaited or not. Throws at once when the frame cannot be carried (nothing
   * was sent and the transport lives on); the promise rejects when the transport is lost.
   */
  send(frame: ChannelFrame): undefined | Promise<void>
  /** Ends the transport: in good order, or at once when there is an error. */
  close(error?: Error): Promise<void>
}

export interface FrameReceiver {
  /** `bytes` is about what the frame takes in memory; 0 where the other side is trusted. */
  frame(frame: ChannelFrame, bytes: number): void
  /** No more frames, with the reason if it was not a good end. Called once. */
  end(error?: unknown): void
}
