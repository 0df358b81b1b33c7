import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { NetworkEmbedder } from '../../interaction/index.ts'
import type { Directory, DirectoryEntry } from '../../network/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { NodeConfig } from '../config-schema.ts'
import type { Metrics } from '../metrics.ts'
import { type Asker, completeChat, streamChat } from './chat.ts'
import { readChatRequest } from './chat-request.ts'
import { watchConnections } from './connections.ts'
import { completeEmbeddings, readEmbeddingsRequest } from './embeddings.ts'
import { createKeyCheck } from './key-check.ts'
import { listModels } from './models.ts'
import { toOpenAiError } from './openai-error.ts'

/** A named way to build a pathway, with the worst case of its example. */
export interface ListedStrategy {
  readonly name: string
  readonly description: string
  readonly needs: readonly string[]
  readonly example: string
  readonly bound?: { readonly calls: number; readonly depth: number }
}

export interface GatewayComponents {
  readonly ask: Asker
  readonly metrics: Metrics
  /** @default no embeddings are offered */
  readonly embed?: NetworkEmbedder
  readonly strategies: () => readonly ListedStrategy[]
  readonly directory: Directory
  readonly logger: Logger
  /** Adds what else this node offers over HTTP; the same keys are asked for. */
  readonly routes?: (app: FastifyInstance) => void
}

/** The HTTP side of a node. */
export interface Gateway {
  /** `http://127.0.0.1:8747`, without `/v1`. */
  readonly url: string
  /** Takes no new requests, lets open answers finish for so long, then ends them. May be called twice. */
  close(graceMs?: number): Promise<void>
}

const LAST_WORDS_MS = 100
/** A request that is on its way when the gateway closes has so long to arrive. */
const ARRIVING_MS = 500

/** Listens for clients: OpenAI's chat completions, embeddings and models, and the node's own view of the network. */
export async function createGateway(components: GatewayComponents, config: NodeConfig['gateway']): Promise<Gateway> {
  const app = fastify({
    bodyLimit: config.maxBodyBytes,
    genReqId: () => `chatcmpl-${randomUUID().replaceAll('-', '')}`,
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: 75_000,
    // Bodies are checked by our own schemas: fastify's compilers of JSON Schema would be loaded for nothing.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
  })
  const connections = watchConnections(app.server)
  const closing = new AbortController()
  const ask = components.metrics.measure(components.ask)
  handleErrors(app, components.logger)
  app.addHook('onRequest', authenticate(config.keys))
  routeNode(app, components)
  components.routes?.(app)
  app.post('/v1/chat/completions', async (request, reply) => {
    const read = readChatRequest(request.body, config)
    const chat = { ...read, task: { ...read.task, id: request.id } }
    const context = {
      id: request.id,
      created: Math.floor(Date.now() / 1000),
      ask,
      signal: untilGone(reply, closing.signal),
    }
    if (!chat.stream) return completeChat(chat, context)
    return sendEvents(reply, streamChat(chat, context))
  })
  const embed = components.embed && components.metrics.measureEmbeddings(components.embed)
  if (embed)
    app.post('/v1/embeddings', async (request, reply) => {
      const { deadlineMs } = config
      const signal = untilGone(reply, closing.signal)
      return completeEmbeddings(readEmbeddingsRequest(request.body), embed, { signal, deadlineMs })
    })
  const url = await listen(app, config)
  return {
    url,
    async close(graceMs = 0) {
      const arrivedBy = performance.now() + Math.min(graceMs, ARRIVING_MS)
      const timers = [
        setTimeout(() => closing.abort(new ModelNetError('CANCELLED', 'the node is stopping')), graceMs),
        // An aborted answer still has the time to say so; what is open after that is cut.
        setTimeout(() => app.server.closeAllConnections(), graceMs + LAST_WORDS_MS),
        setInterval(() => {
          // A connection that becomes idle now would be kept alive for a client that has nothing more to ask.
          app.server.closeIdleConnections()
          // One on which nothing is said, or half a request, would be waited for as long as one that is answered.
          if (performance.now() >= arrivedBy) connections.cutUnasked()
        }, LAST_WORDS_MS / 2),
      ]
      await app.close().finally(() => {
        for (const timer of timers) clearTimeout(timer)
      })
    },
  }
}

function routeNode(app: FastifyInstance, { directory, strategies, metrics }: GatewayComponents): void {
  app.get('/metrics', async (_, reply) => {
    const { contentType, text } = await metrics.expose()
    return reply.header('content-type', contentType).send(text)
  })
  app.get('/modelnet/strategies', async () => ({ data: strategies() }))
  app.get('/healthz', async () => ({ status: 'ok', nodes: directory.entries().length }))
  app.get('/v1/models', async () => ({ object: 'list', data: listModels(directory.entries()) }))
  app.get<{ Params: { '*': string } }>('/v1/models/*', async request => {
    const id = request.params['*']
    const found = listModels(directory.entries()).find(model => model.id === id)
    if (!found)
      throw new ModelNetError('MODEL_NOT_FOUND', `no node offers a model called ${id}; GET /v1/models lists them`)
    return found
  })
  app.get('/modelnet/peers', async () => ({
    self: directory.entries().find(entry => entry.self)?.nodeId ?? '',
    nodes: directory.entries().map(toPeer),
  }))
}

function toPeer(entry: DirectoryEntry): object {
  const load = { running: 0, queued: 0 }
  for (const model of entry.status?.models ?? []) {
    load.running += model.running
    load.queued += model.queued
  }
  return {
    node: entry.nodeId,
    state: entry.state,
    self: entry.self,
    draining: entry.status?.draining ?? false,
    models: entry.cards.map(card => card.id),
    ...(entry.domain !== undefined && { domain: entry.domain }),
    addresses: entry.addresses,
    ...(entry.rttMs !== undefined && { rttMs: entry.rttMs }),
    // Some seconds at most between clocks that agree.
    ...(entry.status && { statusAgeMs: Date.now() - entry.status.at }),
    ...load,
  }
}

/** Text of the first event decides the status: an error before it is an ordinary HTTP error. */
async function sendEvents(reply: FastifyReply, events: AsyncGenerator<string>): Promise<FastifyReply> {
  const first = await events.next()
  async function* all(): AsyncGenerator<string> {
    if (!first.done) yield first.value
    yield* events
  }
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(all(), { objectMode: true, highWaterMark: 16 }))
}

/** Aborts with `closing`, and when the client closes the connection before its answer is complete. */
function untilGone(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const controller = new AbortController()
  const onClosing = (): void => controller.abort(closing.reason)
  if (closing.aborted) onClosing()
  else closing.addEventListener('abort', onClosing)
  reply.raw.once('close', () => {
    closing.removeEventListener('abort', onClosing)
    if (!reply.raw.writableFinished) controller.abort(new ModelNetError('CANCELLED', 'the client went away'))
  })
  return controller.signal
}

/** Lets in who sends a valid key, and anybody who asks whether the node lives. */
function authenticate(keys: readonly string[]): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const mayEnter = createKeyCheck(keys)
  return async request => {
    if (request.url !== '/healthz' && !mayEnter(request.headers))
      throw new ModelNetError('UNAUTHORIZED', 'expected a valid key as `Authorization: Bearer KEY`')
  }
}

function handleErrors(app: FastifyInstance, logger: Logger): void {
  app.addHook('onSend', async (request, reply) => void reply.header('x-request-id', request.id))
  app.setNotFoundHandler(request => {
    throw new ModelNetError('NOT_FOUND', `there is nothing at ${request.method} ${request.url.split('?')[0]}`)
  })
  app.setErrorHandler((thrown, request, reply) => {
    const { error, status, headers, body } = toOpenAiError(fromFastify(thrown))
    if (error.code === 'INTERNAL') logger.error({ error: thrown, request: request.id }, 'a request failed')
    return reply.status(status).headers(headers).send(body)
  })
}

/** Called for a route with a JSON Schema, of which there is none. */
function noCompiler(): never {
  throw new ModelNetError('INTERNAL', 'no route has a JSON Schema of its own')
}

/** Fastify's own complaints about a body, in our words. */
function fromFastify(thrown: unknown): unknown {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ModelNetError('PAYLOAD_TOO_LARGE', 'the body is larger than this gateway accepts', { cause: thrown })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new ModelNetError('INVALID_REQUEST', 'expected content-type: application/json', { cause: thrown })
  if (thrown instanceof SyntaxError || (typeof code === 'string' && code.startsWith('FST_ERR_CTP')))
    return new ModelNetError('INVALID_REQUEST', 'expected a body of valid JSON', { cause: thrown })
  return thrown
}

async function listen(app: FastifyInstance, config: NodeConfig['gateway']): Promise<string> {
  try {
    return await app.listen({ host: config.host, port: config.port })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EADDRINUSE')
      throw new ModelNetError(
        'PORT_IN_USE',
        `another program listens on ${config.host}:${config.port}; choose another with --port, or 0 for a free one`,
        { cause },
      )
    throw new ModelNetError(
      'INVALID_CONFIG',
      `cannot listen on ${config.host}:${config.port}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}
