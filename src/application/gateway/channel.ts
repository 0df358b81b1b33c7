import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { type CallHandlers, type Channel, createChannel, createWebSocketTransport } from '../../network/index.ts'
import { MAX_FRAME_BYTES, type ModelCard } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Logger } from '../../utils/logger.ts'
import { createKeyCheck } from './key-check.ts'

export interface ChannelRouteComponents {
  /** What a client may call beside the method `models`, which tells the cards; it never calls back. */
  readonly calls: CallHandlers
  readonly cards: () => readonly ModelCard[]
  /** Keys of the gateway; one of them must be sent with the upgrade, unless there are none. */
  readonly keys: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
}

export const CHANNEL_PATH = '/modelnet/channel'
/** Channels of clients at once. Each may have 256 calls open; what they run is bounded by admission. */
const MAX_CHANNELS = 64
const CALLS_PER_CHANNEL = 32

/**
 * `GET /modelnet/channel` as a WebSocket: the frames of a channel, for nodes that reach this one over HTTP only, so that
 * a decode step is one message each way. Browsers are refused: they send their `Origin`, and a page of anybody could
 * otherwise use the models of a node that listens on this machine without keys.
 */
export function serveChannel(app: FastifyInstance, components: ChannelRouteComponents): void {
  const { calls, cards, keys, clock, logger } = components
  const handlers: CallHandlers = {
    ...calls,
    async *models() {
      yield cards()
    },
  }
  const mayEnter = createKeyCheck(keys)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false })
  const channels = new Set<Channel>()
  let count = 0

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const status = refusalOf(request)
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, opened => {
      const peer = `http-client-${++count}`
      const channel = createChannel(createWebSocketTransport(opened), {
        handlers,
        peer,
        clock,
        logger,
        maxOpenCalls: CALLS_PER_CHANNEL,
      })
      channels.add(channel)
      logger.info({ peer, address: request.socket.remoteAddress }, 'a channel was opened over HTTP')
      void channel.closed.then(() => channels.delete(channel))
    })
  })
  app.addHook('preClose', async () => {
    await Promise.allSettled([...channels].map(channel => channel.close()))
    sockets.close()
  })

  function refusalOf({ url, headers }: IncomingMessage): number | undefined {
    if (url?.split('?')[0] !== CHANNEL_PATH) return 404
    if (headers.origin !== undefined) return 403
    if (!mayEnter(headers)) return 401
    return channels.size >= MAX_CHANNELS ? 503 : undefined
  }
}
