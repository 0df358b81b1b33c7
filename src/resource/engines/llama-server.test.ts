import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LLAMA_SERVER, startLlamaServer } from '../../../test/support/llama-server.ts'
import type { HttpStandIn } from '../../../test/support/recorded-server.ts'
import { createRecorder, createReplay } from '../../../test/support/recorded-server.ts'
import { collect, languageModelSuite, textOf } from '../../testing/language-model-suite.ts'
import { writeTinyModel } from '../../testing/tiny-model.ts'
import type { ModelNetError } from '../../utils/errors.ts'
import { createLlamaCppEngine } from './llama-cpp.ts'
import { createLlamaServerEngine } from './llama-server.ts'

const RECORDING = new URL('../../../test/fixtures/llama-server.json.gz', import.meta.url).pathname
/** With a real server: `MODELNET_RECORD=1` writes the recording anew. */
const RECORDS = process.env['MODELNET_RECORD'] !== undefined
const request = { messages: [{ role: 'user' as const, content: 'hello the world' }], maxTokens: 40 }

let server: HttpStandIn
const cases = languageModelSuite({
  request,
  tolerance: 0.02, // key-value cache in 16 bits
  async create() {
    const engine = createLlamaServerEngine()
    const model = await engine.load({ id: 'tiny', url: server.url }, { node: 'here' })
    return { model, running: () => server.running(), close: () => engine.close() }
  },
})

describe('a model behind a recorded llama-server', () => {
  beforeAll(async () => {
    server = await createReplay(RECORDING)
  })
  afterAll(() => server.close())
  for (const { name, run } of cases) it(name, run)
})

describe.skipIf(!LLAMA_SERVER)('a model behind a real llama-server (MODELNET_LLAMA_SERVER)', () => {
  let real: Awaited<ReturnType<typeof startLlamaServer>>
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
    await writeTinyModel(join(folder, 'tiny.gguf'))
    real = await startLlamaServer(join(folder, 'tiny.gguf'))
    server = await createRecorder(real.url, RECORDS ? RECORDING : join(folder, 'recording.json.gz'))
  })
  afterAll(async () => {
    await server.close()
    await real.close()
    await rm(folder, { recursive: true })
  })
  for (const { name, run } of cases) it(name, run)

  it('says what the same weights say in process', async () => {
    const [there, here] = [createLlamaServerEngine(), createLlamaCppEngine()]
    const remote = await there.load({ id: 'tiny', url: server.url }, { node: 'here' })
    const local = await here.load({ id: 'tiny', file: join(folder, 'tiny.gguf') }, { node: 'here' })
    const messages = [{ role: 'user' as const, content: 'it ends with <|end|> and goes on' }]
    const [a, b] = await Promise.all([remote, local].map(model => collect(model.generate({ messages, maxTokens: 8 }))))
    expect(a?.at(-1)).toEqual(b?.at(-1))
    expect(textOf(a ?? [])).toBe(textOf(b ?? []))
    await there.close()
    await here.close()
  })
})

interface Asked {
  readonly messages?: unknown
  readonly content?: string
  readonly prompt?: readonly number[]
  readonly stream?: boolean
  readonly n_predict?: number
}

describe('a thinking model behind llama-server', () => {
  /** One token per character; says what it is told to, and that every prompt it sees is continued with `x`. */
  async function serve(template: string, says: string): Promise<{ url: string; prompts: string[]; close(): void }> {
    const prompts: string[] = []
    const codes = (text: string): number[] => [...text].map(letter => letter.charCodeAt(0))
    const answers: Record<string, (body: Asked) => object | string> = {
      '/props': () => ({
        total_slots: 2,
        default_generation_settings: { n_ctx: 512 },
        chat_template: template,
        eos_token: '<|end|>',
      }),
      '/v1/models': () => ({ data: [{ meta: { n_vocab: 128 } }] }),
      '/apply-template': ({ messages }) => ({ prompt: template.replace('QUESTION', JSON.stringify(messages)) }),
      '/tokenize': ({ content = '' }) => ({ tokens: content === '<|end|>' ? [1] : codes(content) }),
      '/completion': ({ prompt = [], stream, n_predict: most }) => {
        if (!stream) prompts.push(String.fromCharCode(...prompt))
        if (stream)
          return `data: ${JSON.stringify({ content: says.slice(0, most), stop: true, stop_type: 'limit' })}\n\n`
        const top_logprobs = codes('x').map(id => ({ id, bytes: [id], logprob: -0.1 }))
        return { content: '', stop: true, completion_probabilities: [{ id: 1, bytes: [], logprob: -9, top_logprobs }] }
      },
    }
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const answer = answers[request.url ?? '']?.(JSON.parse(body || '{}')) ?? {}
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // a TCP server has one
    return { url: `http://127.0.0.1:${port}`, prompts, close: () => void server.close() }
  }

  it.each([
    [
      'thinks first where its template knows thinking',
      '<think>? QUESTION:',
      '<think>\nhm\n</think>\n\n4',
      ':<think>\nhm\n</think>\n\n',
    ],
    ['thinks on where its prompt has begun to', 'QUESTION:<think>', 'hm</think>4', ':<think>hm\n</think>\n\n'],
    ['answers at once where it need not think', '<think>? QUESTION:', '4', ':'],
    ['is stopped where it never ends', 'QUESTION:<think>', 'h'.repeat(999), `:<think>${'h'.repeat(118)}\n</think>\n\n`],
    ['does not think where there is nothing to think with', 'QUESTION:', '<think>hm</think>4', ':'],
  ])('%s, and its thought stands in its own context', async (_, template, says, end) => {
    const there = await serve(template, says)
    const engine = createLlamaServerEngine()
    const model = await engine.load({ id: 'tiny', url: there.url }, { node: 'here' })
    const session = await model.open?.(
      { messages: [{ role: 'user', content: 'hi' }] },
      { distribution: { kind: 'tokens', top: 3 } },
    )
    await session?.next()
    expect(there.prompts.at(-1)?.slice(there.prompts.at(-1)?.indexOf(']:') ?? 0)).toBe(`]${end}`)
    await session?.close()
    await engine.close()
    there.close()
  })
})

describe('loading from a server that is not right', () => {
  const load = async (status: number, body: string): Promise<unknown> => {
    const other = createServer((_, response) => response.writeHead(status, { 'retry-after': '3' }).end(body))
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo // a TCP server has one
    const engine = createLlamaServerEngine()
    return engine
      .load({ id: 'x', url: `http://127.0.0.1:${port}`, apiKey: 'secret-key' }, { node: 'here' })
      .finally(() => other.close())
  }
  it.each([
    [200, '<html>', 'PROTOCOL_ERROR'],
    [200, '{}', 'PROTOCOL_ERROR'],
    [401, '{"error":{"message":"wrong key secret-key"}}', 'UNAUTHORIZED'],
    [429, '', 'OVERLOADED'],
    [503, '{"error":{"message":"Loading model"}}', 'ENGINE_FAILED'],
  ])('a %i with %s is %s, and no error tells the key', async (status, body, code) => {
    const error = await load(status, body).then(
      () => undefined,
      (reason: ModelNetError) => reason,
    )
    expect(error).toMatchObject({ code })
    expect(error?.message).not.toContain('secret-key')
    if (code === 'OVERLOADED') expect(error?.details).toEqual({ retryAfterMs: 3000 })
  })

  it('a dead one is ENGINE_FAILED with its address', async () => {
    const engine = createLlamaServerEngine()
    const loading = engine.load({ id: 'x', url: 'http://127.0.0.1:9' }, { node: 'here' })
    await expect(loading).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('http://127.0.0.1:9/props'),
    })
  })
})
