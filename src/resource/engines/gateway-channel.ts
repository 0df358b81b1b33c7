import { WebSocket } from 'ws'
import { z } from 'zod'
import { type Channel, callOnce, createChannel, createWebSocketTransport } from '../../network/index.ts'
import { MAX_CARDS_PER_NODE, MAX_FRAME_BYTES, type ModelCard, ModelCardSchema } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createCard } from '../card.ts'
import type { Engine, LoadedModel, ModelSpec } from '../engine.ts'
import { createRemoteModel } from '../remote-model.ts'
import { withLossAsFailure } from '../worker-model.ts'

export interface GatewayChannelEngineOptions {
  /** @default the system clock */
  readonly clock?: Clock
  readonly logger?: Logger
}

const CONNECT_TIMEOUT_MS = 10_000
const ASK_TIMEOUT_MS = 10_000
const CardsSchema = z.array(ModelCardSchema).max(MAX_CARDS_PER_NODE)

/**
 * Models of another ModelNet node that is reached over HTTP only, through the WebSocket of its gateway: everything they
 * offer, decode sessions included. Needs `url` (the gateway, such as `https://node.example`), `remoteModel` where it has
 * several models, `apiKey` where it wants one. A connection that is lost is made anew by the next call.
 */
export function createGatewayChannelEngine(options: GatewayChannelEngineOptions = {}): Engine {
  const { clock = systemClock, logger = silentLogger } = options
  const models = new Set<LoadedModel>()
  return {
    name: 'modelnet',
    async load(spec, { node, signal }) {
      signal?.throwIfAborted()
      const link = createLink(spec, clock, logger)
      try {
        const cards = CardsSchema.safeParse(
          await callOnce(await link.channel(), 'models', null, {
            deadlineMs: ASK_TIMEOUT_MS,
            ...(signal && { signal }),
          }),
        )
        if (!cards.success)
          throw new ModelNetError('PROTOCOL_ERROR', `${spec.url} did not tell the cards of its models`)
        const card = choose(spec, cards.data)
        const remote = withLossAsFailure(createRemoteModel({ card, channel: link.channel, clock }), toEngineFailure)
        let closed = false
        const model: LoadedModel = {
          ...remote,
          card: toOwnCard(spec, card, node, clock),
          async close() {
            if (closed) return
            closed = true
            models.delete(model)
            await link.close()
          },
        }
        models.add(model)
        return model
      } catch (error) {
        await link.close()
        throw error
      }
    },
    async close() {
      await Promise.allSettled([...models].map(model => model.close()))
    },
  }
}

/** Whoever asks a model of this node knows nothing of a channel: a lost one is a failed engine. */
const toEngineFailure = (error: unknown): unknown =>
  error instanceof ModelNetError && error.code === 'PEER_LOST'
    ? new ModelNetError('ENGINE_FAILED', 'the connection to the gateway was lost during the call', { cause: error })
    : error

interface Link {
  channel(): Promise<Channel>
  close(): Promise<void>
}

interface Connection {
  readonly socket: WebSocket
  readonly channel: Channel
}

/** One channel to a gateway, opened when it is first needed and again after a loss. */
function createLink({ id, url, apiKey }: ModelSpec, clock: Clock, logger: Logger): Link {
  if (!url || !/^(https?|wss?):\/\//.test(url))
    throw new ModelNetError('INVALID_CONFIG', `model ${id}: expected "url", the gateway of a ModelNet node`)
  const address = `${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/modelnet/channel`
  let current: Promise<Connection> | undefined
  let closed = false
  const connect = async (): Promise<Connection> => {
    const socket = new WebSocket(address, {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      followRedirects: false,
      ...(apiKey ? { headers: { authorization: `Bearer ${apiKey}` } } : {}),
    })
    await opened(socket, url)
    return { socket, channel: createChannel(createWebSocketTransport(socket), { peer: url, clock, logger }) }
  }
  const connection = (): Promise<Connection> => {
    if (closed) throw new ModelNetError('ENGINE_FAILED', `model ${id} was unloaded`)
    const connecting = current ?? connect()
    current = connecting
    connecting.catch(() => {
      if (current === connecting) current = undefined
    })
    return connecting
  }
  return {
    async channel() {
      const known = current
      const first = await connection()
      // A socket that is closing carries nothing any more, before its channel has ended.
      if (first.socket.readyState === first.socket.OPEN) return first.channel
      if (current === known) current = undefined // unless another call has opened it anew by now
      return (await connection()).channel
    },
    async close() {
      closed = true
      await current?.then(
        ({ channel }) => channel.close(),
        () => undefined, // it was never open
      )
    },
  }
}

function opened(socket: WebSocket, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'UNAUTHORIZED' | 'ENGINE_FAILED', why: string): void =>
      reject(new ModelNetError(code, `${url}: ${why}`))
    socket.once('open', resolve)
    socket.once('error', error =>
      fail('ENGINE_FAILED', `no channel over HTTP (${error.message || 'connection failed'})`),
    )
    socket.once('unexpected-response', (request, response) => {
      const { statusCode = 0 } = response
      fail(
        statusCode === 401 ? 'UNAUTHORIZED' : 'ENGINE_FAILED',
        statusCode === 401 ? 'the gateway wants another key' : `the gateway refused a channel (${statusCode})`,
      )
      request.destroy()
    })
  })
}

function choose({ id, remoteModel, url }: ModelSpec, cards: readonly ModelCard[]): ModelCard {
  const [only] = cards
  const found = cards.find(card => card.id === remoteModel) ?? (cards.length === 1 && !remoteModel ? only : undefined)
  if (found) return found
  const offered = cards.map(card => card.id).join(', ') || 'none'
  throw new ModelNetError(
    'INVALID_CONFIG',
    `model ${id}: expected "remoteModel", one of those that ${url} offers: ${offered}`.slice(0, 1000),
  )
}

/** What the other node says of its model, under our name: it is this node that offers it to its own network. */
function toOwnCard(spec: ModelSpec, card: ModelCard, node: string, clock: Clock): ModelCard {
  const { capabilities, contextLength, concurrency = 4, description, tags, weights, tokenizer } = card
  return createCard(
    spec,
    {
      engine: 'modelnet',
      capabilities,
      contextLength: Math.min(spec.contextLength ?? contextLength, contextLength),
      concurrency: Math.min(spec.concurrency ?? concurrency, concurrency),
      description,
      tags,
      ...(weights ? { weights } : {}),
      ...(tokenizer ? { tokenizer } : {}),
    },
    node,
    clock,
  )
}
