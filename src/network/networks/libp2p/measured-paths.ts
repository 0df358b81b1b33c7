import type { Address, Connection, Transport } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../../utils/clock.ts'
import { choosePath, type Path, PathMemory, pathCost } from '../../paths.ts'

/** Measures the paths of a libp2p host where they are used, and chooses among them. */
export interface MeasuredPaths {
  /** The same transport, whose dials are measured. */
  measure<Components>(make: (components: Components) => Transport): (components: Components) => Transport
  /** Puts the addresses first that are expected to connect soonest, for libp2p, which tries one after the other. */
  readonly compare: (a: Address, b: Address) => -1 | 0 | 1
  /** The connection of a peer that new streams shall use. */
  choose(peer: string, connections: readonly Connection[]): Connection | undefined
  /** A stream was opened over the connection in so many milliseconds. */
  opened(connection: Connection, ms: number): void
  /** The connection has ended, not by our will. */
  ended(connection: Connection): void
}

const IN_VAIN_MS = 1000
/** Peers with several connections whose last choice is kept; the one chosen for longest ago is forgotten first. */
const MAX_CHOICES = 1024

export function createMeasuredPaths(clock: Pick<Clock, 'monotonic'>): MeasuredPaths {
  const dials = new PathMemory(clock)
  const streams = new PathMemory(clock)
  const used = new Map<string, string>()

  const dialled = (address: Multiaddr): Path => dials.path(toKey(address), { relayed: isRelayed(address) })
  const connected = (connection: Connection): Path & { readonly connection: Connection } => ({
    ...streams.path(toKey(connection.remoteAddr), {
      relayed: isRelayed(connection.remoteAddr),
      streams: connection.streams.length,
    }),
    connection,
  })

  return {
    measure: make => components => {
      const transport = make(components)
      const dial = transport.dial.bind(transport)
      transport.dial = async (address, options) => {
        const start = clock.monotonic()
        try {
          const connection = await dial(address, options)
          dials.answered(toKey(address), clock.monotonic() - start)
          return connection
        } catch (error) {
          // A dial that was not wanted any more says nothing, unless it was waited for in vain.
          const isGivenUp = options.signal?.aborted === true && clock.monotonic() - start < IN_VAIN_MS
          if (!isGivenUp) dials.failed(toKey(address))
          throw error
        }
      }
      return transport
    },
    compare(a, b) {
      const difference = pathCost(dialled(a.multiaddr)) - pathCost(dialled(b.multiaddr))
      return difference < 0 ? -1 : difference > 0 ? 1 : 0
    },
    choose(peer, connections) {
      const open = connections.filter(({ status }) => status === 'open').map(connected)
      const best = choosePath(open, used.get(peer))
      used.delete(peer)
      if (best && open.length > 1) used.set(peer, best.address)
      const [oldest] = used.keys()
      if (used.size > MAX_CHOICES && oldest !== undefined) used.delete(oldest)
      return best?.connection
    },
    opened: (connection, ms) => streams.answered(toKey(connection.remoteAddr), ms),
    ended(connection) {
      const { open, close } = connection.timeline
      const lived = (close ?? Date.now()) - open
      for (const memory of [dials, streams]) memory.lost(toKey(connection.remoteAddr), lived)
    },
  }
}

/** Where an address leads over, without the id of the peer at its end, which is there or not for the same path. */
export const toPlace = (address: Multiaddr): Pick<Path, 'address' | 'relayed'> => ({
  address: toKey(address),
  relayed: isRelayed(address),
})

const isRelayed = (address: Multiaddr): boolean => address.toString().includes('/p2p-circuit')

const toKey = (address: Multiaddr): string => address.toString().replace(/\/p2p\/[^/]+$/, '')
