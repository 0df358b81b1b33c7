import { basename } from 'node:path'
import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import type { Question } from '../question.ts'
import { askChoice } from './choices.ts'
import { checked, filesUnder, readCsv } from './source.ts'

const COLUMNS = ['id', 'question', 'A', 'B', 'C', 'D', 'answer'] as const
const Row = z.object({
  id: z.string().min(1),
  question: z.string().min(1),
  A: z.string(),
  B: z.string(),
  C: z.string(),
  D: z.string(),
  answer: z
    .string()
    .regex(/^[A-D]$/, 'expected one of A to D; the published test split has no answers, use val or dev'),
})

/** C-Eval as published (`val/<subject>_val.csv` with a header; dev files also have an explanation). A file or a folder. */
export async function loadCEval(path: string): Promise<readonly Question[]> {
  const questions: Question[] = []
  for (const file of await filesUnder(path, '.csv')) {
    const subject = basename(file, '.csv').replace(/_(?:test|val|dev)$/u, '')
    const [header, ...records] = await readCsv(file)
    const at = new Map(header?.value.map((name, index) => [name.trim(), index]))
    for (const column of COLUMNS)
      if (!at.has(column))
        throw new ModelNetError('INVALID_REQUEST', `${file}:1: expected a column "${column}" in the header`)
    for (const record of records) {
      const value = Object.fromEntries(COLUMNS.map(column => [column, record.value[at.get(column) ?? -1]]))
      const { id, question, answer, A, B, C, D } = checked(Row, { ...record, value })
      const choices = [A, B, C, D]
      questions.push({
        id: `c-eval/${subject}/${id}`,
        question: askChoice(question, choices, '请在最后单独写出正确选项的字母。'),
        answer,
        grader: 'choice',
        kind: subject,
        choices,
      })
    }
  }
  return questions
}
