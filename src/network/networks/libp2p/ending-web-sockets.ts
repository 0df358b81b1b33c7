import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import { type WebSocketsComponents, webSockets } from '@libp2p/websockets'

/** What js-libp2p's connection over a WebSocket holds and does; TypeScript hides it. */
interface Resettable {
  readonly websocket: { close(): void; readonly terminate?: () => void }
  sendReset(): void
}

/**
 * libp2p's WebSockets, whose connections end when they are aborted. Its own abort closes with the code 1006, which no
 * program may send: that throws, the error is swallowed, and the socket stays open until its other side goes. Then a
 * peer with another swarm key waits for its handshake to time out, and one that is banned keeps what it holds.
 */
export function endingWebSockets(): (components: WebSocketsComponents) => Transport {
  const make = webSockets()
  return components => {
    const transport = make(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) => dial(address, { ...options, upgrader: ending(options.upgrader) })
    transport.createListener = options => createListener({ ...options, upgrader: ending(options.upgrader) })
    return transport
  }
}

const ending = (upgrader: Upgrader): Upgrader => ({
  ...upgrader,
  upgradeInbound: (connection, options) => upgrader.upgradeInbound(mend(connection), options),
  upgradeOutbound: (connection, options) => upgrader.upgradeOutbound(mend(connection), options),
  getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  getStreamMuxers: () => upgrader.getStreamMuxers(),
  createInboundAbortSignal: signal => upgrader.createInboundAbortSignal(signal),
})

function mend(connection: MultiaddrConnection): MultiaddrConnection {
  // Both are there in the version that is installed (pinned).
  const { websocket } = connection as unknown as Resettable
  ;(connection as unknown as Resettable).sendReset = () =>
    websocket.terminate ? websocket.terminate() : websocket.close()
  return connection
}
