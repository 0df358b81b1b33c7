import type { FrameStream, Network, PeerLinks } from '../../src/network/index.ts'

/** What the nodes of a simulation sent. */
export interface Traffic {
  frames: number
  bytes: number
  /** Calls started, by method. */
  readonly calls: Map<string, number>
}

export const createTraffic = (): Traffic => ({ frames: 0, bytes: 0, calls: new Map() })

export function resetTraffic(traffic: Traffic): void {
  traffic.frames = 0
  traffic.bytes = 0
  traffic.calls.clear()
}

/** A network whose frames are counted, and that can dial every node of the simulation, as a DHT's peer store lets one. */
export function countFrames(network: Network, traffic: Traffic): Network {
  const count = (stream: FrameStream): FrameStream => ({
    frames: stream.frames,
    send(frame) {
      traffic.frames++
      traffic.bytes += frame.length
      return stream.send(frame)
    },
    close: () => stream.close(),
    abort: error => stream.abort(error),
  })
  return {
    nodeId: network.nodeId,
    addresses: () => network.addresses(),
    start: () => network.start(),
    close: () => network.close(),
    dial: (address, options) => network.dial(address, options),
    peers: () => network.peers(),
    onPeer: listener => network.onPeer(listener),
    handle: (protocol, handler) => network.handle(protocol, (stream, peer) => handler(count(stream), peer)),
    async open(peer, protocol, options) {
      network.learn(peer, [`/memory/${peer}/p2p/${peer}`])
      return count(await network.open(peer, protocol, options))
    },
    learn: (peer, addresses) => network.learn(peer, addresses),
    disconnect: peer => network.disconnect(peer),
  }
}

/** Links whose calls are counted by method, at the node that serves them. */
export const countCalls = (links: PeerLinks, traffic: Traffic): PeerLinks => ({
  ...links,
  serve: handlers =>
    links.serve(
      Object.fromEntries(
        Object.entries(handlers).map(([method, handler]) => [
          method,
          (body, call, context) => {
            traffic.calls.set(method, (traffic.calls.get(method) ?? 0) + 1)
            return handler(body, call, context)
          },
        ]),
      ),
    ),
})

/** Links whose calls to others are counted by method. */
export function countSent(links: PeerLinks, sent: Map<string, number>): PeerLinks {
  return {
    ...links,
    async channel(peer, options) {
      const channel = await links.channel(peer, options)
      return {
        closed: channel.closed,
        close: () => channel.close(),
        call(method, body, started) {
          sent.set(method, (sent.get(method) ?? 0) + 1)
          return channel.call(method, body, started)
        },
      }
    },
  }
}
