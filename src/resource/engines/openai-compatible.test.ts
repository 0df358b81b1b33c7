import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LLAMA_SERVER, startLlamaServer } from '../../../test/support/llama-server.ts'
import type { HttpStandIn } from '../../../test/support/recorded-server.ts'
import { createRecorder, createReplay } from '../../../test/support/recorded-server.ts'
import { collect, languageModelSuite, textOf } from '../../testing/language-model-suite.ts'
import { writeTinyModel } from '../../testing/tiny-model.ts'
import type { LoadedModel, ModelSpec } from '../engine.ts'
import { createOpenAiCompatibleEngine } from './openai-compatible.ts'

const RECORDING = new URL('../../../test/fixtures/openai-compatible.json.gz', import.meta.url).pathname
/** With a real server: `MODELNET_RECORD=1` writes the recording anew. */
const RECORDS = process.env['MODELNET_RECORD'] !== undefined
const messages = [{ role: 'user' as const, content: 'hello the world' }]

let server: HttpStandIn
const cases = languageModelSuite({
  request: { messages, maxTokens: 40 },
  tolerance: 0.02, // key-value cache in 16 bits
  async create() {
    const engine = createOpenAiCompatibleEngine()
    const model = await engine.load({ id: 'tiny', url: `${server.url}/v1` }, { node: 'here' })
    return { model, running: () => server.running(), close: () => engine.close() }
  },
})

describe('a model behind a recorded OpenAI-compatible endpoint', () => {
  beforeAll(async () => {
    server = await createReplay(RECORDING)
  })
  afterAll(() => server.close())
  for (const { name, run } of cases) it(name, run)

  it('takes part in joint decoding', async () => {
    const engine = createOpenAiCompatibleEngine()
    const { card } = await engine.load({ id: 'tiny', url: `${server.url}/v1` }, { node: 'here' })
    expect(card.capabilities).toEqual(['generate', 'tokens'])
    await engine.close()
  })
})

describe.skipIf(!LLAMA_SERVER)(
  'a model behind the chat endpoint of a real llama-server (MODELNET_LLAMA_SERVER)',
  () => {
    let real: Awaited<ReturnType<typeof startLlamaServer>>
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
      await writeTinyModel(join(folder, 'tiny.gguf'))
      real = await startLlamaServer(join(folder, 'tiny.gguf'), 'tiny')
      server = await createRecorder(real.url, RECORDS ? RECORDING : join(folder, 'recording.json.gz'))
    })
    afterAll(async () => {
      await server.close()
      await real.close()
      await rm(folder, { recursive: true })
    })
    for (const { name, run } of cases) it(name, run)
  },
)

describe('an OpenAI-compatible endpoint', () => {
  const MODELS = JSON.stringify({
    object: 'list',
    data: [{ id: 'm', object: 'model', owned_by: 'vllm', max_model_len: 99 }],
  })
  let requests: { url: string; body: string; authorization: string | undefined }[] = []
  let answer: { status?: number; headers?: Record<string, string>; body: string } = { body: '' }
  let completion: ((asked: { messages: { role: string; content: string }[]; max_tokens: number }) => object) | undefined
  const other = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    requests.push({ url: request.url ?? '', body, authorization: request.headers.authorization })
    if (request.url === '/v1/models') return void response.end(MODELS)
    const asked = JSON.parse(body)
    if (completion && !asked.stream) return void response.end(JSON.stringify(completion(asked)))
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body)
  })
  const engine = createOpenAiCompatibleEngine()
  beforeEach(() => {
    completion = undefined
  })
  beforeAll(() => new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve)))
  afterAll(async () => {
    await engine.close()
    other.close()
  })
  const load = async (spec: Partial<ModelSpec> = {}): Promise<LoadedModel> => {
    requests = []
    const { port } = other.address() as AddressInfo // a TCP server has one
    return engine.load(
      { id: 'x', url: `http://127.0.0.1:${port}/v1/`, apiKey: 'secret-key', ...spec },
      { node: 'here' },
    )
  }
  const events = (...chunks: readonly object[]): string =>
    [...chunks.map(chunk => JSON.stringify(chunk)), '[DONE]'].map(data => `data: ${data}\n\n`).join('')
  const delta = (content: object, finish?: string): object => ({
    choices: [{ index: 0, delta: content, finish_reason: finish ?? null }],
  })

  it('is given the key, and its one model and context are found', async () => {
    const model = await load()
    expect(model.card.contextLength).toBe(99)
    expect(JSON.stringify(model.card)).not.toContain('secret-key')
    expect(requests[0]).toEqual({ url: '/v1/models', body: '', authorization: 'Bearer secret-key' })
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-key']))
  })

  it.each([
    ['goes on with a given text and tells the alternatives', true, true, ['generate', 'tokens']],
    ['begins anew instead of going on', false, true, ['generate']],
    ['tells no alternatives', true, false, ['generate']],
  ])('takes part in joint decoding where it is seen to: one that %s', async (_, continues, tells, capabilities) => {
    const said = ['One', ',', ' two', ',', ' three']
    completion = ({ messages: asked, max_tokens }) => {
      const last = asked.at(-1)
      const from =
        continues && last?.role === 'assistant'
          ? said.findIndex((_, at) => said.slice(0, at).join('') === last.content)
          : 0
      const content = said.slice(from, from + max_tokens).map(token => ({
        token,
        logprob: -0.1,
        ...(tells && {
          top_logprobs: [
            { token, logprob: -0.1 },
            { token: '<|im_end|>', logprob: -3 },
          ],
        }),
      }))
      return { choices: [{ message: {}, finish_reason: 'length', logprobs: tells ? { content } : null }] }
    }
    const model = await load()
    expect(model.card.capabilities).toEqual(capabilities)
    expect(model.open !== undefined).toBe(capabilities.includes('tokens'))
    const session = await model.open?.({ messages })
    await session?.commit(new TextEncoder().encode('One,'))
    if (!session) return
    expect(await session.next()).toEqual({
      kind: 'tokens',
      candidates: [{ bytes: new TextEncoder().encode(' two'), logprob: expect.closeTo(-0.1) }],
      end: expect.closeTo(-3),
      residual: expect.closeTo(1 - Math.exp(-0.1) - Math.exp(-3)),
    })
  })

  it('lets a thinking model think first, in its own context only', async () => {
    const said = ['<think>', '\nhm', '</think>', '4']
    let last: readonly { role: string; content: string }[] = []
    completion = ({ messages: asked, max_tokens }) => {
      last = asked
      const from = asked.length > 1 ? 1 : 0
      const content = said
        .slice(from, from + max_tokens)
        .map(token => ({ token, logprob: -0.1, top_logprobs: [{ token, logprob: -0.1 }] }))
      return { choices: [{ finish_reason: 'length', logprobs: { content } }] }
    }
    const model = await load()
    answer = {
      body: events(delta({ content: '<think>\nhm, two and two' }), delta({ content: '</think>4' }), delta({}, 'stop')),
    }
    const session = await model.open?.({ messages })
    await session?.step({ commit: new TextEncoder().encode('It is '), next: true })
    expect(last).toEqual([...messages, { role: 'assistant', content: '<think>\nhm, two and two\n</think>\n\nIt is ' }])
    expect(JSON.parse(requests.findLast(({ body }) => body.includes('"stream":true'))?.body ?? '')).toMatchObject({
      messages,
      max_tokens: 24, // a quarter of its context of 99
    })
  })

  it('has its hidden reasoning told apart, in both ways in which servers send it', async () => {
    answer = {
      body: events(
        delta({ role: 'assistant', content: null }),
        delta({ reasoning_content: 'hm ' }),
        delta({ content: '<think>so' }),
        delta({ content: '</think>\n\nyes' }),
        delta({}, 'stop'),
        { choices: [], usage: { prompt_tokens: 5, completion_tokens: 7 } },
      ),
    }
    expect(await collect((await load()).generate({ messages }))).toEqual([
      { type: 'reasoning-delta', text: 'hm ' },
      { type: 'reasoning-delta', text: 'so' },
      { type: 'text-delta', text: 'yes' },
      { type: 'finish', reason: 'stop', usage: { promptTokens: 5, completionTokens: 7 } },
    ])
  })

  it('continues a prefix whether the endpoint repeats it or not', async () => {
    const continued = { messages: [...messages, { role: 'assistant' as const, content: 'Par' }] }
    for (const texts of [
      ['Pa', 'ris'],
      ['i', 's'],
    ]) {
      answer = { body: events(...texts.map(content => delta({ content })), delta({}, 'stop')) }
      expect(textOf(await collect((await load()).generate(continued)))).toBe('is')
    }
    // vLLM has to be told
    expect(JSON.parse(requests.at(-1)?.body ?? '')).toMatchObject({
      continue_final_message: true,
      add_generation_prompt: false,
    })
  })

  it('estimates usage where none is reported', async () => {
    answer = { body: events(delta({ content: '12345678' }), delta({}, 'length')) }
    expect((await collect((await load()).generate({ messages }))).at(-1)).toEqual({
      type: 'finish',
      reason: 'length',
      usage: { promptTokens: 4, completionTokens: 2 },
    })
  })

  it.each([
    [401, '{"error":{"message":"bad key secret-key"}}', 'UNAUTHORIZED', false],
    [404, '{"error":{"message":"no such model"}}', 'MODEL_NOT_FOUND', false],
    [400, '{"error":{"code":"context_length_exceeded","message":"too long"}}', 'CONTEXT_OVERFLOW', false],
    [429, '{"error":{"message":"slow down"}}', 'OVERLOADED', true],
    [500, 'oops', 'ENGINE_FAILED', true],
    [200, 'data: {"error":{"message":"boom"}}\n\n', 'ENGINE_FAILED', true],
    [200, 'data: {broken\n\n', 'PROTOCOL_ERROR', true],
    [200, events(delta({ content: 'cut off' })), 'PROTOCOL_ERROR', true],
  ])('answers %i %s: %s', async (status, body, code, retryable) => {
    answer = { status, body, headers: { 'retry-after': '2' } }
    const reading = collect((await load()).generate({ messages }))
    const error = await reading.then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toMatchObject({ code, retryable })
    expect(error?.message).not.toContain('secret-key')
    if (status === 429) expect(error).toMatchObject({ details: { retryAfterMs: 2000 } })
  })

  it('has to be told which of several models is meant, and where it is', async () => {
    await expect(load({ url: 'here' })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    const { url: _, ...rest } = { id: 'x', url: '' }
    await expect(engine.load(rest, { node: 'here' })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })
})
