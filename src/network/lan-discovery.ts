import type { Answer, TxtAnswer } from 'dns-packet'
import multicastDns from 'multicast-dns'
import type { Clock } from '../utils/clock.ts'
import type { Logger } from '../utils/logger.ts'

export interface LanDiscoveryComponents {
  readonly nodeId: string
  /** Where this node can be dialled now. */
  readonly addresses: () => readonly string[]
  readonly clock: Clock
  readonly logger: Logger
}

export interface LanDiscoveryOptions {
  /** Called with each address another node announces, again and again: the callee knows whom it knows. */
  readonly onFound: (nodeId: string, addresses: readonly string[]) => void
  /** Nodes of different networks do not hear each other. @default 'modelnet' */
  readonly service?: string
  /** UDP port; 5353 is that of multicast DNS. @default 5353 */
  readonly port?: number
}

export interface LanDiscovery {
  close(): Promise<void>
}

/** RFC 6762 section 3. */
const MULTICAST_ADDRESS = '224.0.0.251'
/** Queries after the first: soon at first, for nodes that start together, then seldom. ms. */
const QUERY_DELAYS_MS = [250, 1000, 3000]
const QUERY_INTERVAL_MS = 10_000
/** What one announcement may hold: a peer that says more is not believed. */
const MAX_ADDRESSES = 16
const MAX_ADDRESS_LENGTH = 256

/**
 * Finds nodes on the local network by multicast DNS. Unlike libp2p's own module it speaks on the interfaces that the
 * node listens on: a node that listens on 127.0.0.1 is neither seen nor heard beyond this machine. Never the only way
 * to find peers: networks that drop multicast are common.
 */
export function createLanDiscovery(components: LanDiscoveryComponents, options: LanDiscoveryOptions): LanDiscovery {
  const { nodeId, addresses, clock, logger } = components
  const { onFound, service = 'modelnet', port = 5353 } = options
  const name = `_${service}._tcp.local`
  const closing = new AbortController()
  const sockets = interfacesOf(addresses()).map(face =>
    multicastDns({ interface: face, bind: MULTICAST_ADDRESS, port, reuseAddr: true, loopback: true }),
  )
  for (const socket of sockets) {
    socket.on('query', query => {
      if (query.questions?.some(question => question.name === name && question.type === 'PTR'))
        socket.respond({ answers: announcement(name, nodeId, addresses()) })
    })
    socket.on('response', response => {
      const found = readAnnouncement(name, [...(response.answers ?? []), ...(response.additionals ?? [])])
      if (found && found.nodeId !== nodeId) onFound(found.nodeId, found.addresses)
    })
    // No multicast here (a container, a closed firewall): the other ways to find peers go on.
    socket.on('error', (error: Error) => logger.warn({ error: error.message }, 'multicast DNS does not work here'))
    socket.on('warning', (error: Error) => logger.debug({ error: error.message }, 'a malformed multicast DNS packet'))
  }
  const ask = (): void => {
    for (const socket of sockets) socket.query({ questions: [{ name, type: 'PTR' }] })
  }
  const asking = (async () => {
    ask()
    for (let turn = 0; ; turn++) {
      await clock.sleep(QUERY_DELAYS_MS[turn] ?? QUERY_INTERVAL_MS, closing.signal)
      ask()
    }
  })().catch(() => undefined) // ends when the signal aborts
  return {
    async close() {
      closing.abort()
      await asking
      await Promise.all(sockets.map(socket => new Promise<void>(resolve => socket.destroy(() => resolve()))))
    },
  }
}

/** The IPv4 addresses of the interfaces a node listens on. */
export function interfacesOf(addresses: readonly string[]): readonly string[] {
  const found = addresses.map(address => /^\/ip4\/([0-9.]+)\//.exec(address)?.[1])
  return [...new Set(found.filter(address => address !== undefined))]
}

/** A service of this type at this node, and its addresses as `dnsaddr=` texts, as in libp2p's own convention. */
export function announcement(name: string, nodeId: string, addresses: readonly string[]): Answer[] {
  const instance = `${nodeId}.${name}`
  return [
    { name, type: 'PTR', ttl: 120, data: instance },
    {
      name: instance,
      type: 'TXT',
      ttl: 120,
      data: addresses.slice(0, MAX_ADDRESSES).map(address => `dnsaddr=${address}`),
    },
  ]
}

/** Who announces what in these records, or undefined when they are of another service or not well formed. */
export function readAnnouncement(
  name: string,
  records: readonly Answer[],
): { readonly nodeId: string; readonly addresses: readonly string[] } | undefined {
  const pointer = records.find(record => record.type === 'PTR' && record.name === name)
  if (pointer?.type !== 'PTR' || !pointer.data.endsWith(`.${name}`)) return undefined
  const nodeId = pointer.data.slice(0, -name.length - 1)
  const texts = records.find((record): record is TxtAnswer => record.type === 'TXT' && record.name === pointer.data)
  const addresses = (Array.isArray(texts?.data) ? texts.data : [])
    .map(text => text.toString())
    .filter(text => text.startsWith('dnsaddr=/') && text.length <= MAX_ADDRESS_LENGTH)
    .map(text => text.slice('dnsaddr='.length))
    .filter(address => address.endsWith(`/p2p/${nodeId}`))
  return addresses.length > 0 && addresses.length <= MAX_ADDRESSES ? { nodeId, addresses } : undefined
}
