import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BenchAskRow, runBenchAsk } from './bench-ask.ts'

/** A gateway with the answers in a table; it speaks real HTTP. */
const ANSWERS: Readonly<Record<string, string>> = {
  'What is 2+2?': '(2+2=4) 4',
  'Capital of France?': 'Lyon',
  'Who knows?': '',
}
let server: Server
let url: string
let folder: string
let questions: string
const bodies: { model: string; seed: number; temperature: number }[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece.toString()))
    request.on('end', () => {
      const body = JSON.parse(text) as {
        model: string
        seed: number
        temperature: number
        messages: { content: string }[]
      }
      bodies.push(body)
      const question = body.messages[0]?.content ?? ''
      response.setHeader('content-type', 'application/json')
      if (request.headers.authorization !== 'Bearer secret') {
        response.statusCode = 401
        response.end(
          JSON.stringify({ error: { message: 'wrong key', type: 'authentication_error', code: 'unauthorized' } }),
        )
      } else if (question === 'Overloaded?') {
        response.statusCode = 429
        response.end(
          JSON.stringify({ error: { message: 'the queue is full', type: 'server_error', code: 'overloaded' } }),
        )
      } else if (question === 'Garbage?') response.end('<html>')
      else
        response.end(
          JSON.stringify({
            choices: [{ message: { role: 'assistant', content: ANSWERS[question] } }],
            usage: { prompt_tokens: 10, completion_tokens: 4 },
            modelnet: {
              pathway: 'single',
              members: [
                { model: 'arithmetic', node: 'n1' },
                { model: 'judge', node: 'n2' },
              ],
            },
          }),
        )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  folder = await mkdtemp(join(tmpdir(), 'modelnet-ask-'))
  questions = join(folder, 'q.jsonl')
  const rows = [
    { question: 'What is 2+2?', answer: 4, tag: 'skill:arithmetic' },
    { question: 'Capital of France?', answer: 'Paris', tag: 'skill:geography' },
    { question: 'Who knows?', answer: 'nobody' },
    { question: 'Overloaded?', answer: 'yes' },
    { question: 'Garbage?', answer: 'yes' },
  ]
  await writeFile(questions, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
})
afterAll(async () => {
  await new Promise(resolve => server.close(resolve))
  await rm(folder, { recursive: true })
})

describe('runBenchAsk', () => {
  it('sends each row through the network, grades it, and writes per-row results', async () => {
    const result = await runBenchAsk({ url, key: 'secret', questions })
    expect(result.summary).toMatchObject({
      n: 5,
      right: 1,
      wrong: 1,
      abstained: 1,
      failed: 2,
      calls: expect.closeTo(6 / 5),
    })
    expect(result.summary.accuracy.estimate).toBeCloseTo(0.2)
    expect(result.byTag.map(({ name, right }) => [name, right])).toEqual([
      ['skill:arithmetic', 1],
      ['skill:geography', 0],
    ])
    expect(result.text).toMatch(/modelnet\/auto\s+5\s+20\.0 \[3\.6, 62\.4\]\s+1\s+2/)
    expect(result.output).toBe(join(folder, 'q.results.jsonl'))
    const rows = (await readFile(result.output, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as BenchAskRow)
    expect(rows.map(({ verdict, error }) => error ?? verdict)).toEqual([
      'right',
      'wrong',
      'abstained',
      'OVERLOADED',
      'PROTOCOL_ERROR',
    ])
    expect(rows[0]).toMatchObject({
      asked: 'What is 2+2?',
      expected: '4',
      extracted: '4',
      members: ['arithmetic@n1', 'judge@n2'],
    })
  })

  it('names a model or a pathway as the model, greedy, with a seed per question', async () => {
    bodies.length = 0
    await runBenchAsk({ url, key: 'secret', questions, pathway: '@arithmetic > @reviewer', concurrency: 1 })
    expect(new Set(bodies.map(body => body.model))).toEqual(new Set(['@arithmetic > @reviewer']))
    expect(new Set(bodies.map(body => body.temperature))).toEqual(new Set([0]))
    expect(new Set(bodies.map(body => body.seed)).size).toBe(5)
    await expect(runBenchAsk({ url, questions, model: 'a', pathway: 'b' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
  })

  it('is an error where every question fails alike: a wrong key, no gateway', async () => {
    await expect(runBenchAsk({ url, key: 'wrong', questions })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: 'wrong key',
    })
    await expect(runBenchAsk({ url: 'http://127.0.0.1:9', questions })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    })
  })
})
