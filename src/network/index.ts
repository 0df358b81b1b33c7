/**
 * How nodes find and reach each other: hosts, streams, channels, and the directory of who offers what.
 */
export type { Call, CallContext, CallHandler, CallHandlers, CallStartOptions, Channel } from './channel.ts'
export type { Directory, DirectoryEntry, DirectoryEvent, NodeState } from './directory.ts'
export type { Identity } from './identity.ts'
export { createIdentity } from './identity.ts'
export type { DialOptions, FrameStream, Network, PeerEvent } from './network.ts'
