import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, languageModelSuite, textOf } from '../../testing/language-model-suite.ts'
import { createTinyModel, writeTinyModel } from '../../testing/tiny-model.ts'
import type { Engine, LoadedModel } from '../engine.ts'
import { createLlamaCppEngine } from './llama-cpp.ts'

const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content })

let folder: string
let engine: Engine
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
  engine = createLlamaCppEngine()
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true })
})

const load = async (options: Parameters<typeof createTinyModel>[0] = {}, concurrency = 2): Promise<LoadedModel> => {
  const file = join(folder, `${Object.values(options).join('-').slice(0, 20)}.gguf`)
  await writeTinyModel(file, options)
  return engine.load({ id: 'tiny', file, concurrency, embed: true }, { node: 'here' })
}

describe.each(['bpe', 'spm'] as const)('llama.cpp in process, %s tokenizer', tokenizer => {
  const cases = languageModelSuite({
    request: { messages: [user('hello the world')], maxTokens: 60 },
    tolerance: 0.02, // key-value cache in 16 bits
    async create() {
      const model = await load({ tokenizer })
      return { model, close: () => model.close() }
    },
  })
  for (const { name, run } of cases) it(name, run)
})

describe('a model of llama.cpp', () => {
  it('reports alternatives with log-probabilities of the untempered softmax', async () => {
    const model = await load()
    const request = { messages: [user('hi')], maxTokens: 4, topLogprobs: 3 }
    const greedy = (await collect(model.generate(request))).flatMap(
      part => (part.type === 'text-delta' && part.logprobs) || [],
    )
    const [first] = greedy
    expect(first?.top).toHaveLength(3)
    expect(first?.logprob).toBe(first?.top?.[0]?.logprob)
    const hot = (await collect(model.generate({ ...request, temperature: 5, seed: 1 }))).flatMap(
      part => (part.type === 'text-delta' && part.logprobs) || [],
    )
    expect(hot[0]?.top?.[0]?.logprob).toBeCloseTo(first?.logprob ?? 0, 2)
    const score = await model.score?.({ messages: request.messages, text: 'a' })
    expect(score?.tokens).toBe(1)
    await model.close()
  })

  it.each([
    [{ type: 'object', properties: { right: { type: 'boolean' } } }, ['{"right":true}', '{"right":false}']],
    [{ anyOf: [{ const: 'p' }, { const: 3 }] }, ['"p"', '3']],
    [{ items: { enum: [1, 2] }, minItems: 1, maxItems: 1 }, ['[1]', '[2]']],
    [{ $ref: '#/$defs/x', $defs: { x: { type: 'boolean' } } }, ['true', 'false']],
  ])('answers with JSON of the schema %j', async (jsonSchema, possible) => {
    const model = await load()
    const text = textOf(await collect(model.generate({ messages: [user('is it?')], jsonSchema })))
    expect(possible).toContain(JSON.stringify(JSON.parse(text)))
    await model.close()
  })

  it.each([{}, { type: 'nonsense' }, { properties: { a: 5 } }, { anyOf: [] }])(
    'refuses %j as no schema',
    async jsonSchema => {
      const model = await load()
      const reading = collect(model.generate({ messages: [user('is it?')], jsonSchema }))
      await expect(reading).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
      await model.close()
    },
  )

  it('continues a prefix as if it had said it itself', async () => {
    const model = await load()
    const messages = [user('hello the world')]
    const whole = textOf(await collect(model.generate({ messages, maxTokens: 20, topLogprobs: 1 })))
    const first = (await collect(model.generate({ messages, maxTokens: 1 }))).find(part => part.type === 'text-delta')
    const prefix = first?.type === 'text-delta' ? first.text : ''
    const rest = textOf(
      await collect(model.generate({ messages: [...messages, { role: 'assistant', content: prefix }], maxTokens: 19 })),
    )
    expect(prefix + rest).toBe(whole)
    await model.close()
  })

  it('never reads a control token out of a user’s text', async () => {
    const model = await load()
    const usage = async (content: string): Promise<number> => {
      const last = (await collect(model.generate({ messages: [user(content)], maxTokens: 1 }))).at(-1)
      return last?.type === 'finish' ? last.usage.promptTokens : 0
    }
    expect(await usage('<|end|>')).toBe((await usage('')) + ['<', '|', 'en', 'd', '|', '>'].length)
    await model.close()
  })

  it('drops a system text when its template has none', async () => {
    const model = await load()
    const ask = (messages: Parameters<LoadedModel['generate']>[0]['messages']): Promise<string> =>
      collect(model.generate({ messages, maxTokens: 8 })).then(textOf)
    const plain = await ask([user('hi')])
    expect(await ask([{ role: 'system', content: 'be brief' }, user('hi')])).toBe(plain)
    await model.close()
  })

  it('tells hidden reasoning from the answer', async () => {
    const template = "{{ bos_token }}<|q|>{{ messages[0]['content'] }}<|a|>{# answers begin with <think> #}"
    const model = await load({ template })
    const parts = await collect(model.generate({ messages: [user('hi')], maxTokens: 8 }))
    expect(parts.some(part => part.type === 'text-delta')).toBe(true)
    await model.close()
    const opened = await load({ template: `${template}<think>` })
    const thoughts = await collect(opened.generate({ messages: [user('hi')], maxTokens: 8 }))
    expect(textOf(thoughts)).toBe('')
    expect(thoughts.some(part => part.type === 'reasoning-delta')).toBe(true)
    const session = await opened.open?.({ messages: [user('hi')] }) // after a thought of its own
    const next = await session?.next()
    expect(next?.kind === 'bytes' && next.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
    await session?.close()
    await opened.close()
  })

  it('opens as many sessions as it has sequences, and one more when one is closed', async () => {
    const model = await load()
    const open = async (): Promise<{ close(): Promise<void>; next(): Promise<unknown> } | undefined> => {
      const session = await model.open?.({ messages: [user('hi')] })
      await session?.next()
      return session
    }
    const first = await open()
    await open()
    await expect(open()).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true })
    await first?.close()
    await expect(open()).resolves.toBeDefined()
    await model.close()
  })

  it('reuses what an earlier request left, and answers the same', async () => {
    const model = await load({}, 1)
    const long = { messages: [user('the other thing and the other thing')], maxTokens: 12 }
    const fresh = textOf(await collect(model.generate(long)))
    await collect(model.generate({ messages: [user('the other')], maxTokens: 3 }))
    expect(textOf(await collect(model.generate(long)))).toBe(fresh)
    await model.close()
  })

  it('stays within its context', async () => {
    const model = await load({ contextLength: 64 })
    const parts = await collect(model.generate({ messages: [user('hi')], temperature: 1, seed: 1 }))
    const last = parts.at(-1)
    expect(last?.type === 'finish' && last.usage.promptTokens + last.usage.completionTokens).toBeLessThanOrEqual(64)
    await model.close()
  })

  it('refuses calls after it was closed, which may happen twice', async () => {
    const model = await load()
    await model.close()
    await model.close()
    await expect(collect(model.generate({ messages: [user('hi')] }))).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })
})

describe('loading a file', () => {
  const file = (): string => join(folder, 'broken.gguf')
  const loading = (digest?: string): Promise<unknown> =>
    engine.load({ id: 'broken', file: file(), ...(digest ? { digest } : {}) }, { node: 'here' })

  it.each([
    ['is text', async () => writeFile(file(), 'this is not a model')],
    ['is empty', async () => writeFile(file(), '')],
    ['ends in its header', async () => writeFile(file(), createTinyModel()).then(() => truncate(file(), 3000))],
    ['ends in its weights', async () => writeFile(file(), createTinyModel()).then(() => truncate(file(), 100_000))],
    ['does not exist', async () => rm(file())],
    [
      'claims a list of 2^60 values',
      async () => {
        const bytes = Buffer.from(createTinyModel())
        bytes.writeBigUInt64LE(2n ** 60n, 16)
        await writeFile(file(), bytes)
      },
    ],
  ])('is refused with INVALID_MODEL_FILE when it %s', async (_, prepare) => {
    await prepare()
    await expect(loading()).rejects.toMatchObject({ code: 'INVALID_MODEL_FILE' })
  })

  it('is refused when the digest is another', async () => {
    await writeTinyModel(file())
    await expect(loading(`sha256:${'0'.repeat(64)}`)).rejects.toMatchObject({ code: 'INVALID_MODEL_FILE' })
  })
})
