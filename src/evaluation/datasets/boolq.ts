import { z } from 'zod'
import type { Question } from '../question.ts'
import { checked, readJsonLines } from './source.ts'

const Row = z.object({
  question: z.string().min(1),
  passage: z.string().min(1),
  answer: z.boolean(),
  title: z.string().optional(),
})

/** BoolQ as published (`dev.jsonl`: question, passage, answer true or false). */
export async function loadBoolq(file: string): Promise<readonly Question[]> {
  return (await readJsonLines(file)).map(record => {
    const { question, passage, answer } = checked(Row, record)
    return {
      id: `boolq/${record.line}`,
      question: `${passage}\n\nQuestion: ${question}?\nRestate the answer, yes or no, at the very end.`,
      answer: answer ? 'yes' : 'no',
      grader: 'boolean',
    }
  })
}
