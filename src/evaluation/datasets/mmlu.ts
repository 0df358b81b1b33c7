import { basename } from 'node:path'
import { z } from 'zod'
import type { Question } from '../question.ts'
import { askChoice } from './choices.ts'
import { checked, filesUnder, readCsv } from './source.ts'

const Row = z.tuple([
  z.string().min(1),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string().regex(/^[A-D]$/, 'expected one of A to D as the answer'),
])

/**
 * MMLU as published (`test/<subject>_test.csv`, six columns without a header: question, A to D, answer). A file is one
 * subject, a folder all in it. The prompt asks for the letter in parentheses, as DuetNet's does.
 */
export async function loadMmlu(path: string): Promise<readonly Question[]> {
  const questions: Question[] = []
  for (const file of await filesUnder(path, '.csv')) {
    const subject = basename(file, '.csv').replace(/_(?:test|val|dev)$/u, '')
    for (const record of await readCsv(file)) {
      const [question, ...rest] = checked(Row, record)
      const choices = rest.slice(0, 4)
      questions.push({
        id: `mmlu/${subject}/${record.line}`,
        question: askChoice(
          question,
          choices,
          'Restate the letter of the right answer in parentheses at the very end.',
        ),
        answer: rest[4],
        grader: 'choice',
        kind: subject,
        choices,
      })
    }
  }
  return questions
}
