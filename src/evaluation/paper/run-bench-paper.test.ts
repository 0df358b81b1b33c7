import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaCppEngine } from '../../resource/index.ts'
import { loadJsonl } from '../datasets/jsonl.ts'
import { evaluate } from '../run.ts'
import { type PaperModel, pathwaySystem } from './bench.ts'
import { createGatewayBench } from './gateway-bench.ts'
import { createLocalBench } from './local-bench.ts'
import { runBenchPaper } from './run-bench-paper.ts'

const shipped = (name: string): PaperModel => {
  const folder = fileURLToPath(new URL(`../../../models/${name}`, import.meta.url))
  const tags = [name.startsWith('arithmetic') ? 'skill:arithmetic' : `skill:${name}`]
  return {
    spec: { id: `modelnet/${name}`, file: join(folder, `${name}.gguf`), tags },
    heldout: join(folder, 'heldout.jsonl'),
  }
}
const models = ['arithmetic-a', 'geography'].map(shipped)
const there = models.every(({ spec }) => existsSync(spec.file ?? ''))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelnet-paper-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(!there)('the experiments on shipped models', () => {
  it('route without labels, and give the same answers again with the same seed', async () => {
    const run = (output: string) =>
      runBenchPaper({ models, output: join(folder, output), parts: ['mixed', 'paths'], questions: 3, seed: 5 })
    const [first, second] = [await run('a'), await run('b')]
    expect(second.answers).toBe(first.answers)
    const bySet = first.results[0]?.figures['bySet'] as Record<string, Record<string, number>>
    expect(bySet['network']?.['geography']).toBeGreaterThan(bySet['arithmetic-a']?.['geography'] ?? 1)
    expect(await readFile(first.files.html, 'utf8')).toContain('<svg')
    expect(JSON.parse(await readFile(first.files.json, 'utf8'))).toMatchObject({
      facts: { seed: '5', answers: first.answers },
    })
  }, 120_000)
})

const reviewing = ['generalist', 'reviewer'].map(shipped)
describe.skipIf(!reviewing.every(({ spec }) => existsSync(spec.file ?? '')))('the shipped reviewer', () => {
  it('corrects what the generalist was not taught, and leaves what it knows', async () => {
    const engine = createLlamaCppEngine()
    try {
      const models = []
      for (const { spec } of reviewing) {
        const tags = spec.id.endsWith('reviewer') ? ['skill:review'] : ['skill:arithmetic']
        models.push(await engine.load({ ...spec, tags }, { node: 'n' }))
      }
      const bench = createLocalBench([{ id: 'n', models }])
      const questions = await loadJsonl(shipped('arithmetic-a').heldout)
      const right = async (pathway: string, kind: string): Promise<number> => {
        const asked = questions.filter(question => question.kind === kind).slice(0, 12)
        const { rows } = await evaluate([pathwaySystem(bench, pathway, pathway)], asked)
        return rows.filter(({ verdict }) => verdict === 'right').length
      }
      const [alone, reviewed] = ['"modelnet/generalist"', '"modelnet/generalist" > "modelnet/reviewer"'] as const
      expect(await right(alone, 'difference')).toBeLessThanOrEqual(3)
      expect(await right(reviewed, 'difference')).toBeGreaterThanOrEqual(8)
      expect(await right(reviewed, 'addition')).toBeGreaterThanOrEqual((await right(alone, 'addition')) - 1)
    } finally {
      await engine.close()
    }
  }, 120_000)
})

it('refuses parts that do not exist or that a running network cannot do, before anything is loaded', async () => {
  const missing = [shipped('no-such-a'), shipped('no-such-b')]
  const parts = ['weather'] as never // what a user may type
  await expect(runBenchPaper({ models: missing, output: folder, parts })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining('mixed'),
  })
  const network = { url: 'http://127.0.0.1:9', members: ['a', 'b'] }
  await expect(runBenchPaper({ models: missing, output: folder, network, parts: ['stability'] })).rejects.toThrow(
    /no part stability on a running network/,
  )
})

it('says what a running network cannot be asked', async () => {
  const bench = createGatewayBench({ url: 'http://127.0.0.1:9', members: ['a'] })
  const question = { id: '1', question: '?', answer: '1', grader: 'number' } as const
  await expect(bench.likelihood('a', question, '1')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect(bench.fuse(['a'], { method: 'dp' }, question)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await expect((async () => bench.ask('a', question, { offline: new Set(['a']) }))()).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  })
})
