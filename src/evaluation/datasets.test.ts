import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadBoolq } from './datasets/boolq.ts'
import { loadCEval } from './datasets/c-eval.ts'
import { compositeQuestions, factsOf } from './datasets/composite.ts'
import { COMPUTED_FIELDS, fieldQuestions } from './datasets/fields.ts'
import { loadGsm8k } from './datasets/gsm8k.ts'
import { loadJsonl } from './datasets/jsonl.ts'
import { loadMath } from './datasets/math.ts'
import { loadMmlu } from './datasets/mmlu.ts'
import { loadOmgeval } from './datasets/omgeval.ts'
import { isHeldOut, sample, splitForChoice } from './datasets/sample.ts'
import { simpleMath } from './datasets/simple-math.ts'
import { graderOf } from './graders.ts'
import type { Question } from './question.ts'

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The value of an expression of true, false, and, or, not, in JavaScript's own words. */
const evaluated = (text: string): unknown =>
  new Function(`return ${text.replaceAll('not ', '!').replaceAll('and', '&&').replaceAll('or', '||')}`)()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelnet-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  return path
}

describe('SimpleMath', () => {
  it('is a+b*c+d-e*f over integers 0 to 30, multiplication first', () => {
    const questions = simpleMath(500, 3)
    expect(new Set(questions.map(question => question.id)).size).toBe(500)
    for (const { question, answer } of questions) {
      const numbers = /^What is (\d+)\+(\d+)\*(\d+)\+(\d+)-(\d+)\*(\d+)\?$/u.exec(question)?.slice(1).map(Number) ?? []
      const [a = -1, b = -1, c = -1, d = -1, e = -1, f = -1] = numbers
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...numbers)).toBeLessThanOrEqual(30)
      expect(Number(answer)).toBe(a + b * c + d - e * f)
    }
    expect(simpleMath(5, 3)).toEqual(questions.slice(0, 5))
    expect(simpleMath(5, 4)).not.toEqual(questions.slice(0, 5))
  })
})

describe('questions of the fields', () => {
  it.each(COMPUTED_FIELDS)('of %s are held out, different, gradable and reproducible', field => {
    const questions = fieldQuestions(field, 60, 2)
    expect(questions).toHaveLength(60)
    expect(new Set(questions.map(question => question.question)).size).toBe(60)
    for (const { id, answer, grader } of questions) {
      expect(isHeldOut(id)).toBe(true)
      expect(graderOf(grader).grade(answer, answer).verdict).toBe('right')
    }
    expect(fieldQuestions(field, 60, 2)).toEqual(questions)
    expect(fieldQuestions(field, 60, 3)).not.toEqual(questions)
  })

  it('have right answers', () => {
    const answers = new Map(
      COMPUTED_FIELDS.flatMap(field => fieldQuestions(field, 200)).map(({ id, answer }) => [id, answer]),
    )
    for (const [key, answer] of answers) {
      const sum = /^addition:(\d+),(\d+)$/u.exec(key)
      if (sum) expect(Number(answer)).toBe(Number(sum[1]) + Number(sum[2]))
      const day = /^calendar:day after:(\d),(\d+)$/u.exec(key)
      // 1 January 2024 was a Monday
      if (day)
        expect(answer).toBe(WEEKDAYS[new Date(Date.UTC(2024, 0, 1 + Number(day[1]) + Number(day[2]))).getUTCDay()])
      const leap = /^calendar:leap year:(\d+)$/u.exec(key)
      if (leap) expect(answer).toBe(new Date(Date.UTC(Number(leap[1]), 1, 29)).getUTCMonth() === 1 ? 'yes' : 'no')
      const word = /^words:reverse:(\w+):$/u.exec(key)
      if (word) expect([...answer].reverse().join('')).toBe(word[1])
    }
    expect(answers.size).toBe(COMPUTED_FIELDS.length * 200)
    for (const [key, answer] of answers) {
      const capital = /^geography:capital:France:\d$/u.test(key) ? 'Paris' : undefined
      if (capital) expect(answer).toBe(capital)
      const iron = /^elements:(number|symbol|group|period|category):26:\d$/u.exec(key)?.[1]
      if (iron)
        expect(answer).toBe({ number: '26', symbol: 'Fe', group: '8', period: '4', category: 'transition metal' }[iron])
      const value = /^logic:boolean:(.+)$/u.exec(key)?.[1]
      if (value) expect(answer).toBe(String(evaluated(value)))
    }
  })
})

describe('composite questions', () => {
  const fact = (question: string, answer: string): Question => ({ id: question, question, answer, grader: 'text' })
  const facts = factsOf([
    fact('What is the atomic number of iron?', '26'),
    fact('What is the capital of France?', 'Paris'),
    fact('Which country has the capital Oslo?', 'Norway'),
  ])

  it('join facts of two fields by arithmetic', () => {
    expect(facts).toHaveLength(2)
    const questions = compositeQuestions(facts, 10)
    expect(questions.map(({ question, answer }) => [question, answer]).sort()).toEqual([
      ['What is the atomic number of iron minus the number of letters in the capital of France?', '21'],
      ['What is the atomic number of iron plus the number of letters in the capital of France?', '31'],
    ])
    expect(compositeQuestions([], 10)).toEqual([])
  })
})

describe('loaders', () => {
  it('reads plain JSONL and fills in what a row leaves out', async () => {
    const path = await file(
      'q.jsonl',
      '{"question":"2+2?","answer":4}\n\n{"id":"x","question":"Is it?","answer":true,"tag":"skill:logic"}\n',
    )
    expect(await loadJsonl(path)).toEqual([
      { id: '1', question: '2+2?', answer: '4', grader: 'number' },
      { id: 'x', question: 'Is it?', answer: 'yes', grader: 'boolean', tag: 'skill:logic' },
    ])
  })

  it('reads MMLU, with quoted commas, doubled quotes and line breaks', async () => {
    const path = await file(
      'mmlu/anatomy_test.csv',
      '"Which, of ""these"",\nis it?",one,"two, three",3,4,B\nNext?,a,b,c,d,D\n',
    )
    const questions = await loadMmlu(join(path, '..'))
    expect(questions.map(({ id, answer, kind }) => [id, answer, kind])).toEqual([
      ['mmlu/anatomy/1', 'B', 'anatomy'],
      ['mmlu/anatomy/3', 'D', 'anatomy'],
    ])
    expect(questions[0]?.question).toContain('Which, of "these",\nis it?\nA. one\nB. two, three\n')
    expect(graderOf('choice').grade('(B)', 'B').verdict).toBe('right')
  })

  it('reads C-Eval, with or without explanations', async () => {
    const path = await file(
      'law_val.csv',
      'id,question,A,B,C,D,answer,explanation\n0,下列哪项正确？,甲,乙,丙,丁,C,因为\n',
    )
    expect(await loadCEval(path)).toMatchObject([
      { id: 'c-eval/law/0', answer: 'C', grader: 'choice', choices: ['甲', '乙', '丙', '丁'] },
    ])
  })

  it('reads BoolQ', async () => {
    const path = await file(
      'boolq.jsonl',
      '{"question":"is ice cold","title":"Ice","answer":true,"passage":"Ice is frozen water."}\n',
    )
    expect(await loadBoolq(path)).toMatchObject([{ id: 'boolq/1', answer: 'yes', grader: 'boolean' }])
  })

  it('reads GSM8K', async () => {
    const path = await file(
      'gsm.jsonl',
      '{"question":"How many clips?","answer":"48/2 = <<48/2=24>>24\\n#### 1,072"}\n',
    )
    expect(await loadGsm8k(path)).toEqual([
      { id: 'gsm8k/1', question: 'How many clips?', answer: '1,072', grader: 'number' },
    ])
  })

  it('reads MATH, one file per problem or as JSONL, numbers as numbers', async () => {
    const problem = (answer: string): string =>
      JSON.stringify({
        problem: 'Find $x$.',
        level: 'Level 2',
        type: 'Algebra',
        solution: `So $x=\\boxed{${answer}}$.`,
      })
    await file('math/algebra/1.json', problem('\\frac{1}{2}'))
    await file('math/algebra/2.json', problem('x^2+1'))
    expect((await loadMath(join(folder, 'math'))).map(({ answer, grader }) => [answer, grader])).toEqual([
      ['\\frac{1}{2}', 'number'],
      ['x^2+1', 'text'],
    ])
    const lines = await file('math.jsonl', `${problem('12{,}345')}\n`)
    expect(await loadMath(lines)).toMatchObject([
      { id: 'math/1', answer: '12{,}345', grader: 'number', kind: 'Algebra, Level 2' },
    ])
  })

  it('reads OMGEval with the answers of a reference system', async () => {
    const path = await file('OMGEval_Chinese.txt', '天空是什么颜色\n恐龙真的存在吗？\n')
    const outputs = await file(
      'ref.json',
      JSON.stringify([
        { instruction: '天空是什么颜色', output: '蓝色', generator: 'x' },
        { instruction: '恐龙真的存在吗？', output: '是', generator: 'x' },
      ]),
    )
    expect(await loadOmgeval(path, outputs)).toEqual([
      { id: 'omgeval/1', question: '天空是什么颜色', reference: '蓝色' },
      { id: 'omgeval/2', question: '恐龙真的存在吗？', reference: '是' },
    ])
    expect(await loadOmgeval(path)).toHaveLength(2)
  })
})

describe('errors of data files', () => {
  const broken: readonly [string, string, (path: string) => Promise<unknown>, RegExp][] = [
    ['a.jsonl', '{"question":"a","answer":1}\n{"question":\n', loadJsonl, /a\.jsonl:2: expected JSON/],
    ['b.jsonl', '{"question":"a","answer":1}\n\n{"question":"b"}\n', loadJsonl, /b\.jsonl:3: answer: /],
    ['c.jsonl', '{"question":"a","answer":"b","grader":"vibes"}\n', loadJsonl, /c\.jsonl:1: grader: /],
    ['d_test.csv', 'q,a,b,c,d,A\nq,a,b,c,d,E\n', loadMmlu, /d_test\.csv:2: 5: expected one of A to D/],
    ['e_test.csv', 'q,a,b\n', loadMmlu, /e_test\.csv:1: /],
    ['f_test.csv', 'q,"a,b\n', loadMmlu, /f_test\.csv:1: expected a closing quote/],
    ['g_val.csv', 'id,question,A,B,C,answer\n', loadCEval, /g_val\.csv:1: expected a column "D"/],
    [
      'h_test.csv',
      'id,question,A,B,C,D,answer\n0,q,a,b,c,d,\n',
      loadCEval,
      /h_test\.csv:2: answer: .*test split has no answers/,
    ],
    ['i.jsonl', '{"question":"a","passage":"b","answer":"yes"}\n', loadBoolq, /i\.jsonl:1: answer: /],
    ['j.jsonl', '{"question":"a","answer":"42"}\n', loadGsm8k, /j\.jsonl:1: answer: expected a last line/],
    ['k.jsonl', '{"problem":"a","solution":"no box"}\n', loadMath, /k\.jsonl:1: solution: /],
  ]
  it.each(broken)('of %s name the line', async (name, text, load, message) => {
    const path = await file(name, text)
    await expect(load(path)).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringMatching(message) })
  })

  it('say that nothing is downloaded when the file is missing', async () => {
    for (const load of [loadJsonl, loadMmlu, loadMath, loadOmgeval])
      await expect(load(join(folder, 'missing.jsonl'))).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('never downloaded'),
      })
  })
})

it('holds the same keys out as the training does', () => {
  // [k for k in range(60) if hashlib.sha256(f'addition:{k},7'.encode()).digest()[0] < 26]
  const numbers = Array.from({ length: 60 }, (_, index) => index)
  expect(numbers.filter(k => isHeldOut(`addition:${k},7`))).toEqual([5, 13, 29, 40, 45, 52])
})

it('splits into a part to choose on and a part to report that share nothing', () => {
  const questions = simpleMath(200)
  const { selection, report } = splitForChoice(questions, 0.3, 5)
  expect(selection.length + report.length).toBe(200)
  expect(selection.filter(question => report.includes(question))).toEqual([])
  expect(selection.length).toBeGreaterThan(35)
  expect(splitForChoice([...questions].reverse(), 0.3, 5).selection).toHaveLength(selection.length)
  expect(sample(questions, 10, 2)).toEqual(sample(questions, 10, 2))
})
