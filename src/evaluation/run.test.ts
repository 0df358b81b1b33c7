import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ModelNetError } from '../utils/errors.ts'
import { bestMember, oracleBaseline, randomBaseline, samplesAtEqualBudget, selfConsistency } from './baselines.ts'
import type { Question } from './question.ts'
import { evaluate } from './run.ts'
import { compare, rowsOf, summarise, summariseAll } from './summary.ts'
import type { System } from './system.ts'

const questions: readonly Question[] = Array.from({ length: 6 }, (_, index) => ({
  id: `q${index}`,
  question: `What is ${index} plus 1?`,
  answer: String(index + 1),
  grader: 'number',
}))

/** Answers by the table; counts what it was asked. */
function scripted(name: string, answers: (index: number) => string, asked: string[] = []): System {
  return {
    name,
    async answer(question, options) {
      options?.signal?.throwIfAborted()
      asked.push(`${name}:${question.id}:${options?.seed}`)
      const text = answers(Number(question.id.slice(1)))
      if (text === 'fail') throw new ModelNetError('PEER_UNREACHABLE', 'offline')
      return { text, usage: { promptTokens: 5, completionTokens: text.length }, ms: 10, calls: 1 }
    },
  }
}

const perfect = (asked?: string[]): System => scripted('perfect', index => String(index + 1), asked)
const half = (asked?: string[]): System =>
  scripted('half', index => (index % 2 === 0 ? String(index + 1) : (['0', 'hm', 'fail'][(index - 1) / 2] ?? '')), asked)

describe('evaluate', () => {
  it('grades every answer and tells wrong, abstained and failed apart', async () => {
    const evaluation = await evaluate([perfect(), half()], questions, { concurrency: 3 })
    expect(summariseAll(evaluation)).toMatchObject([
      { name: 'perfect', n: 6, right: 6, wrong: 0, abstained: 0, failed: 0, accuracy: { estimate: 1 } },
      { name: 'half', n: 6, right: 3, wrong: 1, abstained: 1, failed: 1, accuracy: { estimate: 0.5 } },
    ])
    expect(rowsOf(evaluation, 'half').find(row => row.verdict === 'failed')?.error).toBe('PEER_UNREACHABLE')
  })

  it('asks the same with the same seed whatever the concurrency, in another order of systems per question', async () => {
    const once: string[] = []
    const twice: string[] = []
    await evaluate([perfect(once), half(once)], questions, { seed: 3 })
    await evaluate([perfect(twice), half(twice)], questions, { seed: 3, concurrency: 4 })
    expect([...once].sort()).toEqual([...twice].sort())
    expect(new Set(once.filter((_, index) => index % 2 === 0).map(entry => entry.split(':')[0])).size).toBe(2)
  })

  it('refuses a question whose expected answer no grader can read before anything is asked', async () => {
    const asked: string[] = []
    const broken: Question = { id: 'x', question: '?', answer: 'unreadable', grader: 'number' }
    await expect(evaluate([perfect(asked)], [...questions, broken])).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(asked).toEqual([])
  })

  it('stops when its signal aborts', async () => {
    const stop = new AbortController()
    const run = evaluate([perfect()], questions, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a checkpoint', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelnet-run-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('continues an interrupted run without repeating items', async () => {
    const checkpoint = join(folder, 'deep', 'run.jsonl')
    const stop = new AbortController()
    const first: string[] = []
    const onProgress = ({ done }: { done: number }): void => (done === 4 ? stop.abort() : undefined)
    await expect(
      evaluate([perfect(first), half(first)], questions, { checkpoint, signal: stop.signal, onProgress }),
    ).rejects.toThrow()
    await appendFile(checkpoint, '{"system":"perfect","que') // the crash came in the middle of a line
    const second: string[] = []
    const resumed = await evaluate([perfect(second), half(second)], questions, { checkpoint })
    expect(first.filter(entry => second.includes(entry))).toEqual([])
    expect(first.length + second.length).toBe(12)
    const fresh = await evaluate([perfect(), half()], questions)
    const verdicts = (evaluation: typeof fresh): unknown =>
      evaluation.rows.map(row => [row.system, row.question, row.verdict])
    expect(verdicts(resumed)).toEqual(verdicts(fresh))
    expect((await readFile(checkpoint, 'utf8')).trim().split('\n')).toHaveLength(13)
  })

  it('has what failed asked again', async () => {
    const checkpoint = join(folder, 'run.jsonl')
    await evaluate([half()], questions, { checkpoint })
    const again: string[] = []
    const mended = await evaluate([{ ...perfect(again), name: 'half' }], questions, { checkpoint })
    expect(again.map(entry => entry.split(':')[1])).toEqual(['q5'])
    expect(mended.rows.at(-1)).toMatchObject({ question: 'q5', verdict: 'right' })
  })

  it('refuses to continue another run', async () => {
    const checkpoint = join(folder, 'run.jsonl')
    await evaluate([perfect()], questions, { checkpoint })
    await expect(evaluate([perfect()], questions, { checkpoint, seed: 2 })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
    await writeFile(checkpoint, 'something else\n')
    await expect(evaluate([perfect()], questions, { checkpoint })).rejects.toThrow(/belongs to another run/)
  })
})

describe('baselines', () => {
  it('random lies between the members and the oracle is right where any member is', async () => {
    const odd = scripted('odd', index => (index % 2 === 1 ? String(index + 1) : '0'))
    const evaluation = await evaluate([half(), odd], questions)
    const oracle = summarise('oracle', oracleBaseline(evaluation, ['half', 'odd']))
    expect(oracle.right).toBe(6)
    const random = randomBaseline(evaluation, ['half', 'odd'])
    expect(random).toEqual(randomBaseline(evaluation, ['half', 'odd']))
    expect(random).toHaveLength(6)
    expect(bestMember(evaluation, ['half', 'odd'])).toBe('half')
  })

  it('self-consistency answers with the majority and pays for every sample', async () => {
    const texts = ['7 apples', '9', 'It is 7', 'no idea']
    const member = {
      ...scripted('m', () => texts[0] ?? ''),
      sample: (_: Question, { seed = 0 }: { seed?: number }) => {
        const text = texts[Math.round(((seed - 100) & 0x7fffffff) / 7919)] ?? ''
        return Promise.resolve({ text, usage: { promptTokens: 1, completionTokens: 2 }, ms: 1, calls: 1 })
      },
    }
    const answer = await selfConsistency(member, { samples: 4 }).answer(questions[0] as Question, { seed: 100 })
    expect(answer).toMatchObject({ text: '7 apples', calls: 4, usage: { promptTokens: 8, completionTokens: 14 } })
  })

  it('sizes self-consistency by the tokens the other system spends', async () => {
    const { rows } = await evaluate([scripted('m', () => '12345')], questions)
    const { rows: dear } = await evaluate([scripted('n', () => '1'.repeat(16))], questions)
    expect(samplesAtEqualBudget(rows, dear)).toBe(3)
    expect(samplesAtEqualBudget(dear, rows)).toBe(1)
  })
})

it('compares two systems on the same questions with a paired test', async () => {
  const evaluation = await evaluate([perfect(), half()], questions)
  const comparison = compare(rowsOf(evaluation, 'perfect'), rowsOf(evaluation, 'half'))
  expect(comparison).toMatchObject({
    onlyFirst: 3,
    onlySecond: 0,
    p: expect.closeTo(0.25, 12),
    difference: { estimate: 0.5 },
  })
  expect(() => compare(rowsOf(evaluation, 'perfect'), rowsOf(evaluation, 'half').slice(1))).toThrow(RangeError)
})
