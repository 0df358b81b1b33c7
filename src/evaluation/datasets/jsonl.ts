import { type Question, QuestionRowSchema, toQuestion } from '../question.ts'
import { checked, readJsonLines } from './source.ts'

/**
 * Plain JSONL: `{"question", "answer", "grader"?, "id"?, "tag"?, "kind"?, "choices"?}` per line, as the shipped models'
 * held-out files and `modelnet bench ask --questions` use it.
 */
export async function loadJsonl(file: string): Promise<readonly Question[]> {
  const rows = await readJsonLines(file)
  return rows.map((row, index) => toQuestion(checked(QuestionRowSchema, row), index))
}
