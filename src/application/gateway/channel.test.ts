import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createAdmission, createGatewayChannelEngine, createModelHandlers } from '../../resource/index.ts'
import { hashedVector } from '../../testing/hashed-vector.ts'
import { createScriptedModel, languageModelSuite } from '../../testing/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { CHANNEL_PATH, serveChannel } from './channel.ts'

const KEY = 'secret-key'
const admission = createAdmission({ clock: systemClock })
const models = [
  createScriptedModel({
    card: { id: 'scripted', concurrency: 4 },
    answer: 'the café is 你好 far from here',
    partDelayMs: 2,
    firstDelayMs: 2,
    embed: hashedVector,
  }),
  createScriptedModel({ card: { id: 'other' } }),
]
const components = {
  calls: createModelHandlers(() => models, { admission, clock: systemClock }),
  cards: () => models.map(({ card }) => card),
  clock: systemClock,
  logger: silentLogger,
}

async function listen(keys: readonly string[]): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = fastify()
  serveChannel(app, { ...components, keys })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() }
}

let gateway: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  gateway = await listen([KEY])
})
afterAll(() => gateway.close())

const load = async (spec: object = {}) => {
  const engine = createGatewayChannelEngine()
  const wanted = { id: 'far/scripted', url: gateway.url, remoteModel: 'scripted', apiKey: KEY, ...spec }
  const model = await engine.load(wanted, { node: 'here' })
  return { engine, model }
}

describe('a model behind the gateway of another node', () => {
  const cases = languageModelSuite({
    request: { messages: [{ role: 'user', content: 'where is it?' }] },
    tolerance: 1e-6, // 32-bit floats on the wire
    async create() {
      const { engine, model } = await load()
      const running = (): number => models.reduce((sum, { card }) => sum + admission.status(card).running, 0)
      return { model, running, close: () => engine.close() }
    },
  })
  for (const { name, run } of cases) it(name, run)

  it('has a card of this node under its own name, and offers what the other offers', async () => {
    const { engine, model } = await load({ tags: ['skill:counting'] })
    expect(model.card).toMatchObject({ id: 'far/scripted', node: 'here', engine: 'modelnet', tags: ['skill:counting'] })
    expect(model.card.capabilities).toEqual(models[0]?.card.capabilities)
    expect(JSON.stringify(model.card)).not.toContain(KEY)
    await engine.close()
  })

  it('is asked over a new connection when the last one was lost', async () => {
    let second = await listen([])
    const { engine, model } = await load({ url: second.url })
    const port = Number(new URL(second.url).port)
    await second.close()
    await expect(model.score?.({ messages: [{ role: 'user', content: 'x' }], text: 'y' })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    })
    const app = fastify()
    serveChannel(app, { ...components, keys: [] })
    second = { url: await app.listen({ host: '127.0.0.1', port }), close: () => app.close() }
    expect(await model.score?.({ messages: [{ role: 'user', content: 'x' }], text: 'y' })).toMatchObject({ bytes: 1 })
    await engine.close()
    await second.close()
  })

  it.each([
    [{ apiKey: 'wrong' }, 'UNAUTHORIZED'],
    [{ remoteModel: 'unknown' }, 'INVALID_CONFIG'],
    [{ url: 'http://127.0.0.1:9' }, 'ENGINE_FAILED'],
    [{ url: 'here' }, 'INVALID_CONFIG'],
  ])('is not loaded with %o: %s, and no error tells the key', async (spec, code) => {
    const error: unknown = await load(spec).catch(reason => reason)
    expect(error).toMatchObject({ code, message: expect.not.stringContaining(KEY) })
  })
})

describe('the channel of a gateway', () => {
  const statusOf = (path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(gateway.url.replace('http', 'ws') + path, { headers })
      socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode ?? 0)
        request.destroy()
      })
      socket.on('open', () => {
        resolve(101)
        socket.close()
      })
      socket.on('error', reject)
    })
  const authorization = `Bearer ${KEY}`

  it.each([
    ['a client with a key', CHANNEL_PATH, { authorization }, 101],
    ['a client without one', CHANNEL_PATH, {}, 401],
    ['a page in a browser, even with one', CHANNEL_PATH, { authorization, origin: 'https://example.org' }, 403],
    ['another path', '/elsewhere', { authorization }, 404],
  ])('lets in or refuses %s', async (_, path, headers, status) => {
    expect(await statusOf(path, headers as Record<string, string>)).toBe(status)
  })

  it('ends a connection that sends anything but frames, and lives on', async () => {
    for (const nonsense of ['text', Buffer.from([0xff, 0x00]), Buffer.alloc(5 * 1024 * 1024)]) {
      const socket = new WebSocket(gateway.url.replace('http', 'ws') + CHANNEL_PATH, { headers: { authorization } })
      await new Promise(resolve => socket.once('open', resolve))
      const ended = new Promise(resolve => socket.once('close', resolve))
      socket.on('error', () => undefined) // it is cut off
      socket.send(nonsense)
      await ended
    }
    expect(await statusOf(CHANNEL_PATH, { authorization })).toBe(101)
  })
})
