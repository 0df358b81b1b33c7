import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import { createRefinement, type SkillRefiner } from './refiner.ts'
import { createEmbeddingRefiner } from './refiners/embedding.ts'
import { createInstructionRefiner } from './refiners/instruction.ts'
import type { Analysis, Task } from './task.ts'

const ANALYSIS: Analysis = {
  tags: [{ tag: 'skill:general', probability: 1 }],
  language: 'en',
  difficulty: 0.2,
  format: 'text',
  modality: 'text',
  length: 60,
  composite: false,
  confidence: 0.25,
}
const task: Task = {
  id: '1',
  messages: [{ role: 'user', content: 'Who wrote Faust?' }],
  options: {},
  budget: {},
  preference: { quality: 1, cost: 0, latency: 0 },
}
const SKILLS = ['skill:geography', 'skill:books', 'skill:general']

function refine(refiner: SkillRefiner, confidence = 0.25) {
  const clock = createManualClock()
  const analyser = { analyse: () => ({ ...ANALYSIS, confidence }) }
  return { clock, run: createRefinement({ analyser, refiner, clock }, { timeoutMs: 100 }) }
}
const says = (text: string): SkillRefiner =>
  createInstructionRefiner({ model: 'teacher', ask: async () => text, skills: () => SKILLS })

describe('an analysis refined by an instruction to a model', () => {
  it('mixes what the model names in, by how unsure the fast analysis was, and says so', async () => {
    const analysis = await refine(says(' {"skills":["books"]}\n')).run(task)
    expect(analysis.tags).toEqual([
      { tag: 'skill:books', probability: expect.closeTo(0.6) },
      { tag: 'skill:general', probability: expect.closeTo(0.25) },
    ])
    expect(analysis.confidence).toBeCloseTo(0.85)
    expect(analysis.refinement).toBe('an instruction to teacher: skill:books 0.80')
  })

  it.each([
    'books',
    '{"skills":["magic"]}',
    '{"skills":[]}',
    '{"skills":["books"],"why":"a poet"}',
    'Sure: {"skills":["books"]}',
    '',
  ])('stands as it was where the model says %j', async text => {
    expect(await refine(says(text)).run(task)).toEqual({
      ...ANALYSIS,
      refinement: 'an instruction to teacher could not tell the skills',
    })
  })

  it('asks nobody where the fast analysis is sure', async () => {
    const sure = await refine(says('{"skills":["books"]}'), 0.95).run(task)
    expect(sure).toEqual({ ...ANALYSIS, confidence: 0.95 })
  })

  it('asks under a schema that allows the skills of the network only', async () => {
    let schema: unknown
    const ask = async ({ jsonSchema }: { jsonSchema?: unknown }): Promise<string> => {
      schema = jsonSchema
      return '{"skills":["geography","books"]}'
    }
    const { tags } = await refine(createInstructionRefiner({ model: 'teacher', ask, skills: () => SKILLS })).run(task)
    expect(tags.map(({ tag }) => tag)).toEqual(['skill:geography', 'skill:books', 'skill:general'])
    expect(schema).toMatchObject({ properties: { skills: { items: { enum: ['geography', 'books', 'general'] } } } })
  })
})

describe('a model that helps to analyse', () => {
  it('is waited for no longer than it may take', async () => {
    const slow: SkillRefiner = {
      name: 'a slow one',
      skillsOf: (_, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    }
    const { run, clock } = refine(slow)
    const analysing = run(task)
    await clock.advance(101)
    expect(await analysing).toEqual({ ...ANALYSIS, refinement: 'a slow one was not done within 100 ms' })
  })

  it('may fail: the reason stands in the analysis; an abort of the request goes through', async () => {
    const failing = (error: Error): SkillRefiner => ({ name: 'it', skillsOf: () => Promise.reject(error) })
    const lost = await refine(failing(new ModelNetError('PEER_LOST', 'the node is gone'))).run(task)
    expect(lost).toEqual({ ...ANALYSIS, refinement: 'it failed: the node is gone' })
    await expect(refine(failing(new DOMException('stop', 'AbortError'))).run(task)).rejects.toThrow('stop')
  })
})

describe('an analysis refined by an embedding model', () => {
  const vectors: Readonly<Record<string, readonly number[]>> = {
    'capital?': [1, 0.1, 0.9],
    'river?': [0.9, 0, 1],
    'novel?': [0, 1, 0.9],
    'poem?': [0.1, 0.9, 1],
    'Who wrote Faust?': [0.1, 1, 1],
    'unlike all': [0.5, 0.5, 0.95],
  }
  const examples = async (): Promise<ReadonlyMap<string, readonly string[]>> =>
    new Map([
      ['skill:geography', ['capital?', 'river?']],
      ['skill:books', ['novel?', 'poem?']],
    ])
  const create = (fails: () => boolean = () => false): SkillRefiner =>
    createEmbeddingRefiner({
      model: 'encoder',
      examples,
      async embed(texts) {
        if (fails()) throw new ModelNetError('MODEL_NOT_FOUND', 'no node offers encoder')
        return texts.map(text => vectors[text] ?? [1, 1, 1])
      },
    })

  it('knows the skill whose examples lie nearest, once these are embedded', async () => {
    const { run } = refine(create())
    expect((await run(task)).refinement).toMatch(/examples of the skills are being embedded/)
    await expect.poll(async () => (await run(task)).tags[0]).toMatchObject({ tag: 'skill:books' })
  })

  it('cannot tell of a question that lies between all', async () => {
    const { run } = refine(create())
    const odd = { ...task, messages: [{ role: 'user' as const, content: 'unlike all' }] }
    await run(odd)
    await expect.poll(async () => (await run(odd)).refinement).toMatch(/could not tell/)
  })

  it('tells why it could not embed its examples, and tries again', async () => {
    let fails = true
    const { run } = refine(create(() => fails))
    await run(task)
    await expect.poll(async () => (await run(task)).refinement).toMatch(/failed: no node offers encoder/)
    fails = false
    await expect.poll(async () => (await run(task)).tags[0]?.tag).toBe('skill:books')
  })
})
