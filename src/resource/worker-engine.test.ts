import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, languageModelSuite, textOf } from '../testing/language-model-suite.ts'
import { writeTinyModel } from '../testing/tiny-model.ts'
import type { LoadedModel } from './engine.ts'
import type { WorkerEngine } from './worker-engine.ts'
import { createWorkerEngine } from './worker-engine.ts'

const request = { messages: [{ role: 'user' as const, content: 'hello the world' }], maxTokens: 60 }

let folder: string
let engine: WorkerEngine
let loads = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
  await writeTinyModel(join(folder, 'tiny.gguf'))
  engine = createWorkerEngine()
})
afterAll(async () => {
  await engine.close()
  await engine.close()
  await rm(folder, { recursive: true })
})
const load = (): Promise<LoadedModel> =>
  engine.load({ id: `tiny-${++loads}`, file: join(folder, 'tiny.gguf'), embed: true }, { node: 'here' })

describe('llama.cpp in a worker process', () => {
  const cases = languageModelSuite({
    request,
    tolerance: 0.02, // key-value cache in 16 bits
    async create() {
      const model = await load()
      return { model, close: () => model.close() }
    },
  })
  for (const { name, run } of cases) it(name, run)

  it('refuses a file that is no model, and lives on', async () => {
    const file = join(folder, 'text.gguf')
    await writeFile(file, 'text')
    await expect(engine.load({ id: 'text', file }, { node: 'here' })).rejects.toMatchObject({
      code: 'INVALID_MODEL_FILE',
    })
    const model = await load()
    expect(textOf(await collect(model.generate(request)))).not.toBe('')
    await model.close()
  })

  it('fails the calls in flight when the worker is lost, and serves the next ones from a new worker', async () => {
    const model = await load()
    const before = textOf(await collect(model.generate(request)))
    const session = await model.open?.(request)
    const reading = (async () => {
      for await (const part of model.generate({ ...request, maxTokens: 200 }))
        if (part.type === 'text-delta') process.kill(engine.pid ?? 0, 'SIGKILL')
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true })
    await expect(session?.next()).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    expect(textOf(await collect(model.generate(request)))).toBe(before)
    expect(engine.restarts).toBe(1)
    await model.close()
  })

  it('replaces a worker that does not answer any more', async () => {
    const hasty = createWorkerEngine({ hangMs: 300 })
    const model = await hasty.load({ id: 'tiny', file: join(folder, 'tiny.gguf') }, { node: 'here' })
    process.kill(hasty.pid ?? 0, 'SIGSTOP')
    await expect(collect(model.generate(request))).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    expect(textOf(await collect(model.generate(request)))).not.toBe('')
    expect(hasty.restarts).toBe(1)
    await hasty.close()
  })

  it('lends what a cancelled call has given up, however soon the next session wants it', async () => {
    const model = await engine.load(
      { id: `tiny-${++loads}`, file: join(folder, 'tiny.gguf'), concurrency: 1 },
      { node: 'here' },
    )
    for (let round = 0; round < 5; round++) {
      const parts = model.generate({ ...request, maxTokens: 500 })[Symbol.asyncIterator]()
      await parts.next()
      await parts.return?.()
      const session = await model.open?.(request)
      await session?.next()
      await session?.close()
    }
    await model.close()
  })

  it('ends an opening that waits for a sequence when its caller goes away', async () => {
    const model = await engine.load(
      { id: `tiny-${++loads}`, file: join(folder, 'tiny.gguf'), concurrency: 1 },
      { node: 'here' },
    )
    const first = await model.open?.(request)
    const gone = new AbortController()
    const opening = model.open?.(request, { signal: gone.signal })
    gone.abort(new Error('the caller went away'))
    await expect(opening).rejects.toThrow('the caller went away')
    const next = model.open?.(request)
    await first?.close()
    await (await next)?.close()
    await model.close()
  })

  it('refuses a second model of the same id', async () => {
    const model = await load()
    const again = engine.load({ id: model.card.id, file: join(folder, 'tiny.gguf') }, { node: 'here' })
    await expect(again).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await model.close()
  })
})
