import type { ModelCard, NodeStatus } from '../protocol/index.ts'

/** `suspect`: the connection is lost or heartbeats are missing, but it may only be slow; no new work goes there. */
export type NodeState = 'alive' | 'suspect' | 'left'

/** What this node knows of one node (itself included). */
export interface DirectoryEntry {
  readonly nodeId: string
  readonly state: NodeState
  readonly addresses: readonly string[]
  /** Verified cards of its models, not yet expired. */
  readonly cards: readonly ModelCard[]
  readonly status?: NodeStatus
  /** Its trust boundary: signed by an operator where the network asks for that, else what it says itself. */
  readonly domain?: string
  /** Smoothed round-trip time in ms; absent until measured. 0 for this node. */
  readonly rttMs?: number
  /** True for this node. */
  readonly self: boolean
}

export type DirectoryEvent =
  | { readonly type: 'node-join'; readonly nodeId: string }
  | { readonly type: 'node-update'; readonly nodeId: string }
  | { readonly type: 'node-suspect'; readonly nodeId: string }
  | { readonly type: 'node-leave'; readonly nodeId: string }

/**
 * The live view of nodes, cards and status. Callers do not know whether membership is gossiped or found through
 * capability ads.
 */
export interface Directory {
  entries(): readonly DirectoryEntry[]
  entry(nodeId: string): DirectoryEntry | undefined
  /** The returned function removes the listener. */
  onChange(listener: (event: DirectoryEvent) => void): () => void
}
