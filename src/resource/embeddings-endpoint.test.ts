import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createEmbeddingEndpoint } from '../../test/support/embedding-endpoint.ts'
import { createReplay, type HttpStandIn } from '../../test/support/recorded-server.ts'
import { collect, languageModelSuite } from '../testing/language-model-suite.ts'
import { writeTinyModel } from '../testing/tiny-model.ts'
import { systemClock } from '../utils/clock.ts'
import { createEndpointEmbedder } from './embeddings-endpoint.ts'
import type { Engine, ModelSpec } from './engine.ts'
import { createLlamaCppEngine } from './engines/llama-cpp.ts'
import { createLlamaServerEngine } from './engines/llama-server.ts'
import { createOpenAiCompatibleEngine } from './engines/openai-compatible.ts'
import { createHttpClient } from './http-client.ts'
import { selfTest } from './self-test.ts'

const request = { messages: [{ role: 'user' as const, content: 'hello the world' }], maxTokens: 40 }
const HTTP_ENGINES: readonly (readonly [name: string, create: () => Engine, path: string])[] = [
  ['llama-server', createLlamaServerEngine, ''],
  ['openai-compatible', createOpenAiCompatibleEngine, '/v1'],
]

describe.each(HTTP_ENGINES)('embeddings of a model behind %s', (name, create, path) => {
  let recorded: HttpStandIn
  let server: HttpStandIn
  beforeAll(async () => {
    recorded = await createReplay(new URL(`../../test/fixtures/${name}.json.gz`, import.meta.url).pathname)
    server = await createEmbeddingEndpoint(() => recorded.url)
  })
  afterAll(async () => {
    await server.close()
    await recorded.close()
  })
  const load = (embed: ModelSpec['embed'], engine: Engine) =>
    engine.load({ id: 'tiny', url: server.url + path, ...(embed && { embed }) }, { node: 'here' })

  for (const embed of [true, 'only'] as const) {
    const cases = languageModelSuite({
      request,
      detectsOverflow: false, // the server does
      async create() {
        const engine = create()
        return { model: await load(embed, engine), running: () => server.running(), close: () => engine.close() }
      },
    })
    for (const each of cases) if (/embed|card/.test(each.name)) it(`${each.name} (embed: ${embed})`, each.run)
  }

  it('are offered when they are asked for, and pass the self-test', async () => {
    const engine = create()
    expect((await load(undefined, engine)).card.capabilities).not.toContain('embed')
    expect((await load(true, engine)).card.capabilities).toEqual(expect.arrayContaining(['generate', 'embed']))
    expect((await selfTest(await load('only', engine))).card.capabilities).toEqual(['embed'])
    await engine.close()
  })
})

describe('a model that only makes embeddings', () => {
  it.each([
    ['as numbers', (vector: number[]) => vector.length],
    ['without bounds', (vector: number[]) => Math.hypot(...vector)],
  ])('gives vectors of unit length %s, and refuses to answer', async (_, measure) => {
    const folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
    await writeTinyModel(join(folder, 'tiny.gguf'))
    const engine = createLlamaCppEngine()
    const model = await engine.load(
      { id: 'tiny', file: join(folder, 'tiny.gguf'), embed: 'only', contextLength: 64 },
      { node: 'here' },
    )
    expect(model.card).toMatchObject({ capabilities: ['embed'], contextLength: 64 })
    expect(model.open ?? model.score).toBeUndefined()
    const result = await model.embed?.({ texts: ['hello'] })
    expect(measure([...(result?.embeddings[0] ?? [])])).toBeGreaterThan(0.99)
    await expect(collect(model.generate(request))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await model.close()
    await expect(model.embed?.({ texts: ['hello'] })).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    await engine.close()
    await rm(folder, { recursive: true })
  })
})

describe('an embeddings endpoint', () => {
  let answer: { status: number; body: unknown } = { status: 200, body: {} }
  const server = createServer((_, response) =>
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body)),
  )
  beforeAll(() => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => void server.close())
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => void (await Promise.all(closing.splice(0).map(close => close()))))
  const embed = (texts: readonly string[]) => {
    const http = createHttpClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    closing.push(() => http.close())
    return createEndpointEmbedder({ http, path: '/embeddings', model: 'm', clock: systemClock })({ texts })
  }
  const entry = (index: number, ...embedding: number[]): object => ({ index, embedding })

  it('may tell no usage: tokens are estimated then', async () => {
    answer = { status: 200, body: { data: [entry(0, 3, 4)] } }
    expect(await embed(['eight ch'])).toEqual({ embeddings: [[0.6, 0.8]], promptTokens: 2 })
  })

  it.each([
    ['fewer vectors than texts', { data: [entry(0, 1)] }],
    ['vectors of several lengths', { data: [entry(0, 1), entry(1, 1, 2)] }],
    ['no list', { embedding: [1] }],
    ['an empty vector', { data: [entry(0), entry(1)] }],
  ])('that gives %s breaks the protocol', async (_, body) => {
    answer = { status: 200, body }
    await expect(embed(['a', 'b'])).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' })
  })

  it('whose vector has no direction has failed', async () => {
    answer = { status: 200, body: { data: [entry(0, 0, 0)] } }
    await expect(embed(['a'])).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })

  it('tells its own errors with their codes', async () => {
    answer = { status: 400, body: { error: { message: 'maximum context length is 512 tokens' } } }
    await expect(embed(['a'])).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' })
  })
})
