import type { ModelNetError } from '../utils/errors.ts'

/**
 * Many calls over one long-lived stream: opening a stream for each call costs eight times a round trip on an open one.
 * Each call is a duplex of messages with credit, a deadline and cancellation that are carried over the wire. The same
 * contract runs over a libp2p stream, an in-memory pair and the port of a worker thread, so a model behind any of
 * them is asked in the same way.
 */
export interface Channel {
  /** Starts a call. The body is any value the codec carries. Rejects nothing: errors surface in `parts`. */
  call(method: string, body: unknown, options?: CallStartOptions): Call
  /** Resolves when the channel has ended, for whatever reason. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

export interface CallStartOptions {
  /** Aborting sends a cancel to the other side, which aborts the signal its handler was given. */
  readonly signal?: AbortSignal
  /** Milliseconds the other side may work on this call; carried over the wire. */
  readonly deadlineMs?: number
}

/** One side of one call. */
export interface Call {
  /** Waits for credit. Rejects when the call has ended. */
  send(part: unknown): Promise<void>
  /** Says that this side sends no more. */
  end(): void
  /** What the other side sends, until it ends; throws the `ModelNetError` it failed with, or PEER_LOST. One reader. */
  readonly parts: AsyncIterable<unknown>
  /** Ends the call at once; the other side's signal aborts. */
  cancel(error?: ModelNetError): void
}

export interface CallContext {
  /** Aborted when the caller cancels, the deadline passes, or the channel is lost. */
  readonly signal: AbortSignal
  /** Node id of the caller; `local` within one process. */
  readonly peer: string
  /** Milliseconds the caller gave, when the call arrived; `signal` aborts when they have passed. */
  readonly deadlineMs?: number
}

/**
 * Serves one method: reads the caller's parts from `call.parts` if it wants any, yields its own. Throwing sends the
 * error's code and message; other errors become INTERNAL without their text.
 */
export type CallHandler = (
  body: unknown,
  call: { readonly parts: AsyncIterable<unknown> },
  context: CallContext,
) => AsyncIterable<unknown>

export type CallHandlers = Readonly<Record<string, CallHandler>>
