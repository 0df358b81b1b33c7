import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import type { Question } from '../question.ts'
import { checked, readJsonLines } from './source.ts'

const Row = z.object({ question: z.string().min(1), answer: z.string().min(1) })

/** GSM8K as published (`test.jsonl`: question, and an answer whose last line is `#### 72`). */
export async function loadGsm8k(file: string): Promise<readonly Question[]> {
  return (await readJsonLines(file)).map(record => {
    const { question, answer } = checked(Row, record)
    const final = /####\s*(\S.*?)\s*$/u.exec(answer)?.[1]
    if (final === undefined)
      throw new ModelNetError('INVALID_REQUEST', `${file}:${record.line}: answer: expected a last line "#### number"`)
    return { id: `gsm8k/${record.line}`, question, answer: final, grader: 'number' }
  })
}
