/**
 * A pipe of byte frames between two nodes, in order, each way. One reader. Frames are at most `MAX_FRAME_BYTES`;
 * a longer or malformed one ends the stream with PROTOCOL_ERROR before it is allocated.
 */
export interface FrameStream {
  /** Resolves when the transport took the frame (back-pressure); rejects with PEER_LOST when the stream has ended. */
  send(frame: Uint8Array): Promise<void>
  /** Frames of the other side, until it closes; throws PEER_LOST or PROTOCOL_ERROR when the stream breaks. */
  readonly frames: AsyncIterable<Uint8Array>
  /** Ends both directions in good order. May be called twice. */
  close(): Promise<void>
  /** Ends both directions at once. */
  abort(error: Error): void
}

export type PeerEvent =
  | { readonly type: 'peer-connect'; readonly peer: string }
  | { readonly type: 'peer-disconnect'; readonly peer: string }

export interface DialOptions {
  readonly signal?: AbortSignal
}

/**
 * How nodes reach each other: identity, connections, streams by protocol name. Knows nothing of models.
 * Implementations: `networks/libp2p.ts`, `networks/memory.ts`.
 */
export interface Network {
  /** The id of this node: the libp2p peer id of its Ed25519 key. */
  readonly nodeId: string
  /** Where others can dial this node, as multiaddrs ending in `/p2p/<nodeId>`. */
  addresses(): readonly string[]
  start(): Promise<void>
  close(): Promise<void>
  /** Connects to an address and resolves to the node id found there; rejects with PEER_UNREACHABLE. */
  dial(address: string, options?: DialOptions): Promise<string>
  /** Node ids of the connected peers. */
  peers(): readonly string[]
  /** The returned function removes the listener. */
  onPeer(listener: (event: PeerEvent) => void): () => void
  /** Serves a protocol; the returned function ends that. */
  handle(protocol: string, handler: (stream: FrameStream, peer: string) => void): () => void
  /** Opens a stream to a peer, dialling it at the addresses it is known by when it is not connected. */
  open(peer: string, protocol: string, options?: DialOptions): Promise<FrameStream>
  /** Tells the network where a peer may be dialled. */
  learn(peer: string, addresses: readonly string[]): void
  /** Ends the connection to a peer. */
  disconnect(peer: string): Promise<void>
}
