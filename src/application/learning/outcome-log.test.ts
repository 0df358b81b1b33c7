import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLogger } from '../../utils/logger.ts'
import type { Outcome } from './outcome-log.ts'
import { createOutcomeLog, readOutcomes, toTable } from './outcome-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'modelnet-log-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const outcome = (question: string, arm: string, score: number): Outcome => ({
  question,
  arm,
  score,
  source: 'probe',
  at: 1,
})

describe('the log of outcomes', () => {
  it('gives back what was written, in order, without lines that were cut off', async () => {
    const file = join(directory, 'a', 'outcomes.jsonl')
    const log = createOutcomeLog(file, { maxBytes: 1e6, logger: silentLogger })
    log.append(outcome('one', 'm', 1))
    log.append(outcome('two', 'm', 0))
    await log.close()
    appendFileSync(file, '{"question":"thr')
    expect(readOutcomes(file).map(({ question }) => question)).toEqual(['one', 'two'])
  })

  it('stays bounded and keeps the newest', async () => {
    const file = join(directory, 'bounded.jsonl')
    const log = createOutcomeLog(file, { maxBytes: 4000, logger: silentLogger })
    for (let count = 0; count < 500; count++) log.append(outcome(`question ${count}`, 'm', 1))
    await log.close()
    const size = [file, `${file}.1`].filter(existsSync).reduce((sum, part) => sum + statSync(part).size, 0)
    expect(size).toBeLessThanOrEqual(4000)
    expect(readOutcomes(file).at(-1)?.question).toBe('question 499')
  })

  it('is for the owner only, and takes nothing that is no outcome', async () => {
    const file = join(directory, 'private.jsonl')
    const log = createOutcomeLog(file, { maxBytes: 1e6, logger: silentLogger })
    log.append(outcome('one', 'm', 7))
    log.append(outcome('x'.repeat(100_000), 'm', 1))
    log.append(outcome('two', 'm', 1))
    await log.close()
    expect(readOutcomes(file)).toHaveLength(1)
    expect(statSync(file).mode & 0o077).toBe(0)
  })

  it('becomes a table of questions and arms with enough answers, repeated ones averaged', () => {
    const outcomes = [
      outcome('one', 'a', 1),
      outcome('one', 'a', 0),
      outcome('one', 'b', 1),
      outcome('two', 'b', 0),
      outcome('two', 'rare', 1),
    ]
    const { questions, arms, scores } = toTable(outcomes, { minAnswers: 2 })
    expect({ questions, arms, scores: [...scores] }).toEqual({
      questions: ['one', 'two'],
      arms: ['a', 'b'],
      scores: [0.5, 1, Number.NaN, 0],
    })
  })
})
