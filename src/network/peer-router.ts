/**
 * Finds the peers closest to a key in the XOR metric, in a network too large to know everyone. It routes only: what
 * stands at those peers is a protocol of our own (`ads/`).
 */
export interface PeerRouter {
  /**
   * Node ids near the key, as they are found, roughly nearest last: those that answered on the way first (`near`), then
   * the closest of all (`closest`), this node among them if it is. Stop reading when enough was found: waiting for the
   * end means waiting for peers that hang.
   */
  find(key: Uint8Array, options?: { readonly signal?: AbortSignal }): AsyncIterable<RoutedPeer>
}

export interface RoutedPeer {
  readonly peer: string
  readonly kind: 'near' | 'closest'
}

/** Peers that hold what belongs to a key: Kademlia's k. */
export const HOLDERS = 20
