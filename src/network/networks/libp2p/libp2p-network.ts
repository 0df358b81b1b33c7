import './polyfill.ts'
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../../utils/clock.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import type { Logger } from '../../../utils/logger.ts'
import type { Identity } from '../../identity.ts'
import type { FrameStream, Network, PeerEvent } from '../../network.ts'
import type { Path } from '../../paths.ts'
import type { PeerRouter } from '../../peer-router.ts'
import { toFrameStream } from './frame-stream.ts'
import { createGuard, type GuardOptions } from './guard.ts'
import type { HostOptions } from './host.ts'
import { createKadRouter } from './kad-router.ts'
import type { StartedKad } from './kad-service.ts'
import { createMeasuredPaths, toPlace } from './measured-paths.ts'

export interface Libp2pNetworkComponents {
  readonly identity: Identity
  readonly clock: Clock
  readonly logger: Logger
}

export type Libp2pNetworkOptions = HostOptions & GuardOptions

/** Streams of one protocol that one peer may hold open to this node. */
const MAX_INBOUND_STREAMS = 16
const MAX_OUTBOUND_STREAMS = 64
/** Addresses kept for one peer. */
const MAX_ADDRESSES = 16

type Handler = (stream: FrameStream, peer: string) => void

/** A `Network` that can also route to the peers closest to a key. */
export interface Libp2pNetwork extends Network {
  /** Finds nobody before `startRouting`. */
  readonly router: PeerRouter
  /** The open connections to a peer. */
  connections(peer: string): readonly Pick<Path, 'address' | 'relayed'>[]
  /** Takes part in the DHT, as with the option `dht`: for a node that finds its network large. May be called twice. */
  startRouting(): Promise<void>
}

/**
 * A `Network` over js-libp2p: TCP and WebSocket, TLS or Noise, yamux. Nothing runs before `start`, and libp2p's modules
 * are loaded by it: half a second in which a node can already start its models.
 */
export function createLibp2pNetwork(
  components: Libp2pNetworkComponents,
  options: Libp2pNetworkOptions = {},
): Libp2pNetwork {
  const { identity, clock, logger } = components
  const { networkName } = options
  const wireName = (protocol: string): string =>
    networkName === undefined ? protocol : protocol.replace('/modelnet/', `/modelnet/${networkName}/`)
  const guard = createGuard(components, options)
  const handlers = new Map<string, Handler>()
  const listeners = new Set<(event: PeerEvent) => void>()
  const paths = createMeasuredPaths(clock)
  /** Peers that we hang up on. */
  const leaving = new Set<string>()
  let host: Libp2p | undefined
  let hosted: KadDHTComponents | undefined
  let kad: StartedKad | undefined
  let routing: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let closeDatastore: () => Promise<void> = () => Promise.resolve()
  let learning: Promise<void> = Promise.resolve()

  const running = (): Libp2p => {
    if (host && closing === undefined) return host
    throw new ModelNetError('PEER_UNREACHABLE', 'this node is not connected to the network: expected start() before')
  }

  const emit = (type: PeerEvent['type'], peerId: PeerId): void => {
    for (const listener of [...listeners]) listener({ type, peer: peerId.toString() })
  }

  const wrap = (stream: Stream, peer: string): FrameStream =>
    toFrameStream(stream, {
      peer,
      frames: guard.frames(peer),
      onViolation(error) {
        logger.warn({ peer, reason: error.message }, 'ended a stream of a peer that broke the protocol')
        if (guard.violated(peer)) hangUp(peer)
      },
    })

  const accept = (protocol: string, stream: Stream, connection: Connection): void => {
    const peer = connection.remotePeer.toString()
    const handler = handlers.get(protocol)
    if (!handler || !guard.allowsStream(peer)) {
      logger.debug({ peer, protocol }, 'refused a stream')
      stream.abort(new Error('refused'))
      return
    }
    handler(wrap(stream, peer), peer)
  }

  const register = (node: Libp2p, protocol: string): Promise<void> =>
    node.handle(wireName(protocol), (stream, connection) => accept(protocol, stream, connection), {
      maxInboundStreams: MAX_INBOUND_STREAMS,
      maxOutboundStreams: MAX_OUTBOUND_STREAMS,
      runOnLimitedConnection: true,
    })

  const hangUp = (peer: string): void => {
    for (const connection of host?.getConnections(peerIdFromString(peer)) ?? [])
      connection.abort(new Error('the peer broke the protocol'))
  }

  /** Over the best of several connections, if there are such; else libp2p takes the one there is, or dials. */
  const openStream = async (
    node: Libp2p,
    peer: PeerId,
    protocol: string,
    signal: AbortSignal | undefined,
  ): Promise<Stream> => {
    const options = { ...withSignal(signal), runOnLimitedConnection: true }
    const best = paths.choose(peer.toString(), node.getConnections(peer))
    if (!best) return node.dialProtocol(peer, protocol, options)
    const start = clock.monotonic()
    const stream = await best.newStream(protocol, options)
    paths.opened(best, clock.monotonic() - start)
    return stream
  }

  const report = (what: string) => (error: unknown) => logger.debug({ reason: String(error) }, what)

  const startRouting = (): Promise<void> => {
    routing ??= (async () => {
      running()
      const { startKad } = await import('./kad-service.ts')
      if (hosted && closing === undefined) kad = await startKad(hosted, networkName)
    })()
    return routing
  }

  return {
    nodeId: identity.nodeId,
    router: createKadRouter(() => (closing === undefined ? kad?.dht : undefined)),
    startRouting,
    connections: peer => (host?.getConnections(toPeerId(peer)) ?? []).map(({ remoteAddr }) => toPlace(remoteAddr)),
    addresses: () => host?.getMultiaddrs().map(String) ?? [],
    async start() {
      if (host) return
      const { startHost } = await import('./host.ts')
      // Before anybody can dial it: who finds a protocol missing believes it is not spoken, and waits before it asks again.
      const prepare = async (node: Libp2p): Promise<void> => {
        node.addEventListener('peer:connect', event => emit('peer-connect', event.detail))
        node.addEventListener('peer:disconnect', event => emit('peer-disconnect', event.detail))
        for (const protocol of handlers.keys()) await register(node, protocol)
        node.addEventListener('connection:close', ({ detail }) => {
          if (closing === undefined && !leaving.has(detail.remotePeer.toString())) paths.ended(detail)
        })
        host = node
      }
      const started = await startHost(identity, guard.gater, paths, options, prepare).catch(error => {
        host = undefined
        throw error
      })
      hosted = started.components
      closeDatastore = async () => started.datastore?.close()
      if (options.dht) await startRouting()
    },
    async close() {
      closing ??= (async () => {
        await routing?.catch(report('routing did not start'))
        await kad?.stop()
        await host?.stop()
        await closeDatastore()
        listeners.clear()
      })()
      await closing
    },
    async dial(address, { signal } = {}) {
      const connection = await running()
        .dial(toMultiaddr(address), withSignal(signal))
        .catch(error => {
          signal?.throwIfAborted()
          throw unreachable(address, error, options.swarmKey !== undefined)
        })
      return connection.remotePeer.toString()
    },
    peers: () => (closing === undefined ? (host?.getPeers().map(String) ?? []) : []),
    onPeer(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    handle(protocol, handler) {
      handlers.set(protocol, handler)
      if (host) register(host, protocol).catch(report('cannot serve a protocol'))
      return () => {
        if (handlers.get(protocol) !== handler) return
        handlers.delete(protocol)
        host?.unhandle(wireName(protocol)).catch(report('cannot end a protocol'))
      }
    },
    async open(peer, protocol, { signal } = {}) {
      await learning
      const stream = await openStream(running(), toPeerId(peer), wireName(protocol), signal).catch(error => {
        signal?.throwIfAborted()
        if (error?.name === 'UnsupportedProtocolError')
          throw new ModelNetError('UNSUPPORTED', `${peer} does not speak ${protocol}`, { cause: error })
        throw unreachable(peer, error, options.swarmKey !== undefined)
      })
      return wrap(stream, peer)
    },
    learn(peer, addresses) {
      if (!host || closing !== undefined || peer === identity.nodeId) return
      const multiaddrs = addresses.slice(0, MAX_ADDRESSES).flatMap(address => parse(address) ?? [])
      if (multiaddrs.length === 0) return
      const kept = host.peerStore.patch(toPeerId(peer), { multiaddrs })
      // What they resolve to is dropped: it would hold all that was ever learned.
      learning = Promise.all([learning, kept]).then(() => undefined, report('cannot keep the addresses of a peer'))
    },
    async disconnect(peer) {
      leaving.add(peer)
      await host?.hangUp(toPeerId(peer)).catch(report('cannot hang up in good order'))
      leaving.delete(peer)
    },
  }
}

const withSignal = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal ? { signal } : {})

function unreachable(where: string, cause: unknown, isPrivate: boolean): ModelNetError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  // With another swarm key the handshake is not refused but never understood.
  const hint = isPrivate ? ' (if it listens there, its swarm key may be another)' : ''
  return new ModelNetError('PEER_UNREACHABLE', `cannot reach ${where}: ${reason}${hint}`, { cause })
}

function parse(address: string): Multiaddr | undefined {
  try {
    return multiaddr(address)
  } catch {
    return undefined
  }
}

function toMultiaddr(address: string): Multiaddr {
  const parsed = parse(address)
  if (parsed) return parsed
  throw new ModelNetError(
    'PEER_UNREACHABLE',
    `cannot reach ${address}: expected a multiaddr such as /ip4/192.0.2.1/tcp/4001/p2p/<node id>`,
  )
}

function toPeerId(peer: string): PeerId {
  try {
    return peerIdFromString(peer)
  } catch (cause) {
    throw new ModelNetError('PEER_UNREACHABLE', `cannot reach ${peer}: expected a node id`, { cause })
  }
}
