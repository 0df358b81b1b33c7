import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '../../protocol/index.ts'
import { createScriptedModel } from '../../testing/index.ts'
import { isModelNetError } from '../../utils/errors.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import { depthOf, fillIn, parsePlan, sinksOf } from './plan.ts'

const LINES = `chemistry: What is the atomic number of iron?
geography: What is the capital of France?
words: How many letters are in $2?
arithmetic: What is $1 plus $3?`

describe('a plan', () => {
  it('is read from lines', () => {
    const plan = parsePlan(LINES)
    expect(plan.map(({ id, skill, needs }) => [id, skill, needs])).toEqual([
      ['1', 'chemistry', []],
      ['2', 'geography', []],
      ['3', 'words', ['2']],
      ['4', 'arithmetic', ['1', '3']],
    ])
    expect(sinksOf(plan).map(({ id }) => id)).toEqual(['4'])
    expect(depthOf(plan)).toBe(3)
    expect(
      fillIn(
        plan[3] as never,
        new Map([
          ['1', '26'],
          ['3', '5'],
        ]),
      ),
    ).toBe('What is 26 plus 5?')
  })

  it.each([
    '{"steps":[{"id":"a","skill":"skill:math","question":"x"},{"id":"b","skill":"@math","question":"$a + 1"}]}',
    '[{"id":1,"skill":"math","prompt":"x"},{"id":2,"skill":"math","prompt":"$1 + 1"}]',
    '```json\n[{"id":"$1","skill":"math","question":"x"},{"id":"$2","skill":"math","question":"$1 + 1"}]\n```',
    '1. math: x\n2. math: $1 + 1',
    'Step 1: math: x\n- math: $1 + 1',
  ])('is read from %j', text => {
    const plan = parsePlan(text)
    expect(plan.map(({ skill }) => skill)).toEqual(['math', 'math'])
    expect(plan[1]?.needs).toEqual([plan[0]?.id])
  })

  it.each([
    ['', 'not "skill: question"'],
    ['I would first look up iron.', 'not "skill: question"'],
    ['math: $2\nmath: $1', 'wait for one another'],
    ['math: $1', 'its own answer'],
    ['math: $7', 'no such step'],
    [Array(13).fill('math: x').join('\n'), 'at most 12'],
    ['{"steps":[]}', 'no steps'],
    ['{"steps":', 'not valid JSON'],
    ['[{"id":"1","skill":"m","question":"x"},{"id":"1","skill":"m","question":"y"}]', 'same id'],
  ])('%j is refused', (text, problem) => {
    expect(() => parsePlan(text)).toThrow(text === '' ? /no steps|skill: question/ : problem)
  })

  it('throws nothing but INVALID_PATHWAY, whatever a planner writes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(fc.constantFrom('a: $1', 'b: $2', '$', ':', '{')).map(x => x.join('\n')),
        ),
        text => {
          try {
            parsePlan(text)
          } catch (error) {
            expect(isModelNetError(error) && error.code).toBe('INVALID_PATHWAY')
          }
        },
      ),
    )
  })
})

describe('a composite question', () => {
  const knowing = (skill: string, facts: Record<string, string>): ReturnType<typeof createScriptedModel> =>
    createScriptedModel({
      id: skill,
      node: `node-${skill}`,
      answer: (request: GenerateRequest) => facts[request.messages.at(-1)?.content ?? ''] ?? 'what?',
      card: { tags: [`skill:${skill}`] },
    })
  const planner = (...plans: string[]): ReturnType<typeof createScriptedModel> => {
    let asked = 0
    return createScriptedModel({
      id: 'planner',
      node: 'p',
      card: { tags: ['skill:planning'] },
      answer: () => plans[asked++] ?? 'nothing',
    })
  }
  const specialists = () => [
    knowing('chemistry', { 'What is the atomic number of iron?': '26' }),
    knowing('geography', { 'What is the capital of France?': 'Paris' }),
    knowing('words', { 'How many letters are in Paris?': '(P a r i s) 5' }),
    knowing('arithmetic', { 'What is 26 plus 5?': '(6+5=11) 31', 'all of it?': 'direct' }),
  ]
  const analysis = { composite: true, format: 'number' } as const

  it('is planned, its parts answered by those who can, and the parts stand in the trace', async () => {
    const network = createScriptedNetwork([planner(LINES), ...specialists()], { analysis })
    const result = await network.ask('all of it?')
    expect(result).toMatchObject({ text: '31', pathway: 'plan(@planning, else=*)' })
    expect(result.members.map(({ model }) => model).sort()).toEqual([
      'arithmetic',
      'chemistry',
      'geography',
      'planner',
      'words',
    ])
    const whys = network.events.flatMap(event => (event.type === 'call-start' ? [event.why] : []))
    expect(whys).toContain('step 3: How many letters are in Paris?')
  })

  it('tells each specialist only its own question', async () => {
    const models = specialists()
    await createScriptedNetwork([planner(LINES), ...models], { analysis }).ask('all of it? My name is Ada.')
    for (const { requests } of models)
      for (const { messages } of requests) expect(JSON.stringify(messages)).not.toMatch(/Ada|all of it/)
  })

  it('runs parts that do not need one another at the same time', async () => {
    let arrived = 0
    let all: () => void = () => undefined
    const allHere = new Promise<void>(resolve => {
      all = resolve
    })
    const waiting = (skill: string): ReturnType<typeof createScriptedModel> =>
      createScriptedModel({
        id: skill,
        node: skill,
        card: { tags: [`skill:${skill}`] },
        answer: async () => {
          if (++arrived === 3) all()
          await allHere // would wait for ever if one came after another
          return '1'
        },
      })
    const plan = 'a: x\nb: y\nc: z\na: $1 and $2 and $3'
    const network = createScriptedNetwork([planner(plan), waiting('a'), waiting('b'), waiting('c')], { analysis })
    expect((await network.ask('?', undefined, { budget: { deadlineMs: 5000 } })).text).toBe('1')
  })

  it('shares what may be spent among its parts', async () => {
    const network = createScriptedNetwork([planner(LINES), ...specialists()], { analysis })
    // the plan takes most of it; without shares the first part would hold all the rest
    expect((await network.ask('all of it?', undefined, { budget: { tokens: 120 } })).text).toBe('31')
  })

  it('is planned again once when the plan is bad, then answered directly', async () => {
    const network = createScriptedNetwork([planner('rubbish', LINES), ...specialists()], { analysis })
    expect((await network.ask('all of it?')).text).toBe('31')
    const hopeless = createScriptedNetwork([planner('rubbish', 'more rubbish', LINES), ...specialists()], { analysis })
    expect((await hopeless.ask('all of it?', 'plan(@planning, else=arithmetic)')).text).toBe('direct')
  })

  it('is answered directly without a planner, or when it has one part', async () => {
    expect(
      (await createScriptedNetwork(specialists(), { analysis }).ask('all of it?', 'plan(@planning, else=arithmetic)'))
        .text,
    ).toBe('direct')
    const network = createScriptedNetwork([planner(LINES), ...specialists()], {
      analysis: { ...analysis, composite: false },
    })
    expect((await network.ask('all of it?', 'plan(@planning, else=arithmetic)')).text).toBe('direct')
  })

  it('goes to the one skill a plan of one step names, as it was asked', async () => {
    const one = 'geography: What is the capital of France?'
    const network = createScriptedNetwork(
      [planner(one), knowing('geography', { 'Capital of France?': 'Paris' }), ...specialists().slice(3)],
      { analysis },
    )
    expect((await network.ask('Capital of France?')).text).toBe('Paris')
  })

  it('gives a part nobody has the skill for to whoever suits best', async () => {
    const plan = 'alchemy: What is the atomic number of iron?\narithmetic: What is $1 plus 5?'
    const any = knowing('chemistry', { 'What is the atomic number of iron?': '26' })
    const network = createScriptedNetwork([planner(plan), any, ...specialists().slice(3)], {
      analysis,
      abilities: { chemistry: 0.99 },
    })
    expect((await network.ask('?')).text).toBe('31')
  })

  it('lists several last parts, or lets a model write them up', async () => {
    const plan = 'chemistry: What is the atomic number of iron?\ngeography: What is the capital of France?'
    expect((await createScriptedNetwork([planner(plan), ...specialists()], { analysis }).ask('?')).text).toBe(
      '1. 26\n2. Paris',
    )
    const writer = createScriptedModel({ id: 'writer', answer: 'Iron has 26, and Paris it is.' })
    const network = createScriptedNetwork([planner(plan), ...specialists(), writer], { analysis })
    expect((await network.ask('?', 'plan(@planning, join=writer)')).text).toBe('Iron has 26, and Paris it is.')
  })

  it('asks an instruction model for JSON under a schema', async () => {
    const instructed = createScriptedModel({
      id: 'big',
      answer: JSON.stringify({
        steps: [
          { id: '1', skill: 'chemistry', question: 'What is the atomic number of iron?' },
          { id: '2', skill: 'arithmetic', question: 'What is $1 plus 5?' },
        ],
      }),
    })
    const network = createScriptedNetwork([instructed, ...specialists()], { analysis })
    expect((await network.ask('?', 'plan(big)')).text).toBe('31')
    expect(instructed.requests[0]?.jsonSchema).toBeDefined()
  })
})
