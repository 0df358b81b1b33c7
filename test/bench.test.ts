import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type NodeProcess, run, startNode, temporaryDirectory } from './support/processes.ts'

let node: NodeProcess
const folder = temporaryDirectory()
const questions = join(folder, 'questions.jsonl')
const ROWS = [
  { question: 'What is 58 plus 27?', answer: '85', grader: 'number' },
  { question: 'What is 34 plus 48?', answer: '82' },
  { question: 'How many letters are in the word network?', answer: '7', grader: 'number' },
  { question: 'How many letters are in the word garden?', answer: '9', grader: 'number' }, // nobody can get this right
]

beforeAll(async () => {
  writeFileSync(questions, ROWS.map(row => `${JSON.stringify(row)}\n`).join(''))
  node = await startNode(['--model', 'arithmetic-a', '--model', 'words'])
}, 60_000)
afterAll(async () => void (await node?.stop()))

describe('modelnet bench ask', () => {
  it('sends a file through the running network, grades it and keeps the results by row', async () => {
    const output = join(folder, 'rows.jsonl')
    const { code, out } = await run(
      ['bench', 'ask', '--questions', questions, '--output', output, '--json'].concat('--url', node.gateway),
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ questions: 4, summary: { right: 3, accuracy: { estimate: 0.75 } } })
    expect((await readFile(output, 'utf8')).trim().split('\n')).toHaveLength(4)
  })

  it.each([
    ['one model', ['--model', 'modelnet/words'], ['words'], 1],
    ['a pathway', ['--pathway', 'modelnet/arithmetic-a | modelnet/words'], ['arithmetic-a', 'words'], undefined],
  ])('sends a file to %s only, whoever would answer better', async (_, how, members, right) => {
    const output = join(folder, `rows-${how[0]}.jsonl`)
    const { code, out, err } = await run(
      ['bench', 'ask', '--questions', questions, '--output', output, '--json', ...how].concat('--url', node.gateway),
    )
    expect(err).toBe('')
    expect(code).toBe(0)
    const { summary } = JSON.parse(out) as { summary: { n: number; right: number } }
    const rows = (await readFile(output, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { members: string[] })
    for (const row of rows)
      expect(row.members.map(member => member.split('@')[0]).sort()).toEqual(members.map(name => `modelnet/${name}`))
    expect(summary.n).toBe(4)
    if (right !== undefined) expect(summary.right).toBe(right)
  })

  it.each([
    [['--model', 'nobody'], 'MODEL_NOT_FOUND'],
    [['--pathway', 'modelnet/words >'], 'INVALID_PATHWAY'],
    [['--model', 'modelnet/words', '--pathway', 'a > b'], 'expected either a model or a pathway, not both'],
  ])('says what is wrong with %j', async (how, message) => {
    const { code, err } = await run(['bench', 'ask', '--questions', questions, ...how].concat('--url', node.gateway))
    expect(code).toBe(1)
    expect(err).toContain(message)
  })
})

describe('modelnet bench paper', () => {
  it('runs on the models of a running network and on questions of one’s own', async () => {
    const args = ['bench', 'paper', 'mixed', '--json', '--url', node.gateway, '--question-set', `mine=${questions}`]
    const output = join(folder, 'report')
    const { code, out, err } = await run([...args, '--output', output])
    expect(err).toBe('')
    expect(code).toBe(0)
    const { files } = JSON.parse(out) as { files: { json: string } }
    const report = JSON.parse(await readFile(files.json, 'utf8')) as {
      facts: { models: string }
      figures: { mixed: { bySet: Record<string, Record<string, number>> } }
    }
    expect(report.facts.models).toBe('modelnet/arithmetic-a, modelnet/words')
    const of = (system: string): number => report.figures.mixed.bySet[system]?.['mine'] ?? Number.NaN
    expect(of('network')).toBeGreaterThanOrEqual(Math.max(of('modelnet/arithmetic-a'), of('modelnet/words')))
  })

  it.each([
    ['--member names models of a running network', ['--member', 'a']],
    ['expected name=file.jsonl', ['--question-set', 'no-file']],
    ['no gateway answers at', ['--url', 'http://127.0.0.1:9']],
  ])('says %s', async (message, args) => {
    const { code, err } = await run(['bench', 'paper', ...args, '--output', join(folder, 'none')])
    expect(code).toBe(1)
    expect(err).toContain(message)
  })
})
