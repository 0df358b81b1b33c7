import './polyfill.ts'
import { join } from 'node:path'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { dcutr } from '@libp2p/dcutr'
import { identify, identifyPush } from '@libp2p/identify'
import type { ConnectionGater, Libp2p } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import type { LevelDatastore } from 'datastore-level'
import { createLibp2p, type Libp2pInit } from 'libp2p'
import { MAX_FRAME_BYTES, toPublicKey } from '../../../protocol/index.ts'
import { ModelNetError } from '../../../utils/errors.ts'
import type { Identity } from '../../identity.ts'
import { endingWebSockets } from './ending-web-sockets.ts'
import { leanYamux } from './lean-yamux.ts'
import type { MeasuredPaths } from './measured-paths.ts'

export interface HostOptions {
  /** Multiaddrs to listen on; port 0 takes a free one. @default TCP and WebSocket on 127.0.0.1 */
  readonly listen?: readonly string[]
  /** Multiaddrs told to others instead of those listened on (behind a port forwarding, a load balancer). */
  readonly announce?: readonly string[]
  /**
   * Milliseconds a dial may take, all addresses of a peer together. A query of the DHT meets dead peers and should not
   * wait for them; a small network on a busy machine should not give up a handshake. @default 2000 with `dht`, else 4000
   */
  readonly dialTimeoutMs?: number
  /** @default 300 */
  readonly maxConnections?: number
  /**
   * Connections one IP address may open in a second. libp2p's 5 refuses the nodes of one host or one NAT that start
   * together. @default 100
   */
  readonly inboundConnectionsPerSecond?: number
  /**
   * A secret of 64 hexadecimal digits that all nodes of a private network share: without it not even a handshake
   * succeeds. It keeps strangers out; it does not tell members apart (see `allow`). @default none
   */
  readonly swarmKey?: string
  /**
   * Takes part in the DHT that routes to the closest peers of a key: needed beyond the size of a gossiped membership.
   * @default false
   */
  readonly dht?: boolean
  /** Folder for libp2p's own records (addresses of peers, routing), kept over restarts. @default in memory */
  readonly directory?: string
  /**
   * Name of a network apart: `/modelnet/channel/1` is spoken as `/modelnet/<name>/channel/1`, so that nodes of other
   * networks have no protocol in common with this one. Not a secret. @default the common network
   */
  readonly networkName?: string
  /** This node cannot be dialled: it asks the relays it is connected to to be dialled through them. @default false */
  readonly relayed?: boolean
  /** This node lets others be dialled through it, so many at once, each so long and so much. @default no relay */
  readonly relay?: { readonly peers?: number; readonly seconds?: number; readonly bytes?: number }
}

/**
 * What a relay gives by default. libp2p's 128 KiB and 2 minutes are for signalling between strangers; a channel with its
 * heartbeats needs more, and a relay of one's own operator can give it.
 */
const RELAY = { peers: 32, seconds: 60 * 60, bytes: 256 * 1024 * 1024 }

export interface StartedHost {
  readonly host: Libp2p
  /** What libp2p gives its services, for one that is started later. */
  readonly components: KadDHTComponents
  /** To be closed after the host has stopped. */
  readonly datastore: LevelDatastore | undefined
}

/** All a stream may hold unread. Above the window, so that a paused stream is throttled by the window, never reset. */
const MAX_READ_BUFFER_BYTES = 2 * MAX_FRAME_BYTES

/**
 * A libp2p node, started. TLS stands before Noise: its data path takes 91 µs a 200-byte round trip against 119, and
 * 94 µs against 243 at 4 kB. `prepare` is given the node before it listens. Rejects with PORT_IN_USE or INVALID_CONFIG.
 */
export async function startHost(
  { seed, nodeId }: Pick<Identity, 'seed' | 'nodeId'>,
  gater: ConnectionGater,
  paths: MeasuredPaths,
  options: HostOptions,
  prepare: (host: Libp2p) => Promise<void>,
): Promise<StartedHost> {
  const {
    listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'],
    announce = [],
    dialTimeoutMs = options.dht ? 2000 : 4000,
    maxConnections = 300,
    inboundConnectionsPerSecond = 100,
  } = options
  let host: Libp2p<{ components: { components: KadDHTComponents } }> | undefined
  let datastore: LevelDatastore | undefined
  try {
    datastore = await openDatastore(options.directory)
    host = await createLibp2p({
      start: false,
      ...(datastore ? { datastore } : {}),
      // With the public key beside it: libp2p would derive that one in JavaScript, which takes a tenth of a node's start.
      privateKey: privateKeyFromRaw(Buffer.concat([seed, toPublicKey(nodeId)])),
      addresses: { listen: [...listen, ...(options.relayed ? ['/p2p-circuit'] : [])], announce: [...announce] },
      transports: [paths.measure(tcp()), paths.measure(endingWebSockets()), paths.measure(circuitRelayTransport())],
      ...(await protection(options.swarmKey)),
      connectionEncrypters: [tls(), noise()],
      streamMuxers: [
        leanYamux({
          streamOptions: { maxStreamWindowSize: MAX_FRAME_BYTES, maxReadBufferLength: MAX_READ_BUFFER_BYTES },
          maxInboundStreams: 64,
        }),
      ],
      services: {
        identify: identify({ protocolPrefix: 'modelnet' }),
        identifyPush: identifyPush({ protocolPrefix: 'modelnet' }),
        ping: ping({ protocolPrefix: 'modelnet' }),
        // Two nodes that meet through a relay try to connect directly; over TCP, which is all that libp2p offers here.
        dcutr: dcutr(),
        ...(options.relay ? { relay: relayServer(options.relay) } : {}),
        components: (components: KadDHTComponents) => ({ components }),
      },
      connectionGater: gater,
      connectionManager: {
        addressSorter: paths.compare,
        dialTimeout: dialTimeoutMs,
        addressDialTimeout: dialTimeoutMs,
        maxConnections,
        inboundConnectionThreshold: inboundConnectionsPerSecond,
        maxIncomingPendingConnections: Math.max(10, Math.ceil(maxConnections / 4)),
        outboundStreamProtocolNegotiationTimeout: 5000,
        inboundStreamProtocolNegotiationTimeout: 5000,
        inboundUpgradeTimeout: 5000,
        connectionCloseTimeout: 500,
        // Membership dials again by itself; libp2p's own retries would double it.
        reconnectRetries: 0,
      },
      // Liveness is membership's work. libp2p's monitor pings and then aborts what a busy machine answers late.
      connectionMonitor: { enabled: false },
    })
    await prepare(host)
    await host.start()
    return { host, components: host.services.components.components, datastore }
  } catch (cause) {
    await host?.stop()
    await datastore?.close()
    throw toListenError(cause, listen)
  }
}

/** Of LevelDB: libp2p's memory store reads all records for each prefix, 300 times slower at 50,000 of them. */
async function openDatastore(directory: string | undefined): Promise<LevelDatastore | undefined> {
  if (directory === undefined) return undefined
  const { LevelDatastore } = await import('datastore-level')
  const datastore = new LevelDatastore(join(directory, 'libp2p'))
  try {
    await datastore.open()
    return datastore
  } catch (cause) {
    throw new ModelNetError('INVALID_CONFIG', `cannot open ${directory}: is another node using it?`, { cause })
  }
}

/** Loaded where there is a key only. */
async function protection(swarmKey: string | undefined): Promise<Pick<Libp2pInit, 'connectionProtector'>> {
  if (swarmKey === undefined) return {}
  const { protectByKey } = await import('./swarm-key.ts')
  return { connectionProtector: protectByKey(swarmKey) }
}

function relayServer(limits: NonNullable<HostOptions['relay']>): ReturnType<typeof circuitRelayServer> {
  const { peers, seconds, bytes } = { ...RELAY, ...limits }
  return circuitRelayServer({
    reservations: {
      maxReservations: peers,
      defaultDurationLimit: seconds * 1000,
      defaultDataLimit: BigInt(bytes),
    },
  })
}

function toListenError(cause: unknown, listen: readonly string[]): ModelNetError {
  if (cause instanceof ModelNetError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  const where = listen.join(', ')
  if (text.includes('EADDRINUSE'))
    return new ModelNetError('PORT_IN_USE', `cannot listen on ${where}: another program listens there`, { cause })
  return new ModelNetError('INVALID_CONFIG', `cannot listen on ${where}: ${text.split('\n').slice(0, 3).join(' ')}`, {
    cause,
  })
}
