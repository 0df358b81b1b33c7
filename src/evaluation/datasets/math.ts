import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import { boxed } from '../graders/final-answer.ts'
import { guessGrader } from '../graders.ts'
import type { Question } from '../question.ts'
import { checked, filesUnder, type Located, parseJson, readJsonLines, readText } from './source.ts'

const Row = z.object({
  problem: z.string().min(1),
  solution: z.string().min(1),
  level: z.string().optional(),
  type: z.string().optional(),
})

/**
 * MATH as published (`test/<subject>/<number>.json`: problem, level, type, solution with `\boxed{}`), or the same rows
 * as JSONL. Answers that are numbers are graded as numbers, all others by their normalised text.
 */
export async function loadMath(path: string): Promise<readonly Question[]> {
  const records: Located<unknown>[] = []
  if (path.endsWith('.jsonl')) records.push(...(await readJsonLines(path)))
  else
    for (const file of await filesUnder(path, '.json'))
      records.push({ value: parseJson(await readText(file), file, 1), file, line: 1 })
  return records.map((record, index) => {
    const { problem, solution, level, type } = checked(Row, record)
    const answer = boxed(solution)
    if (answer === undefined)
      throw new ModelNetError('INVALID_REQUEST', `${record.file}:${record.line}: solution: expected \\boxed{answer}`)
    const isNumber =
      /^-?\\[dt]?frac\{?-?\d+\}?\{?\d+\}?$/u.test(answer) ||
      guessGrader(answer.replaceAll(/\\[!,]|\{,\}/gu, '')) === 'number'
    return {
      id: `math/${index + 1}`,
      question: `${problem}\nPut the final answer in \\boxed{}.`,
      answer,
      grader: isNumber ? 'number' : 'text',
      ...(type === undefined && level === undefined ? {} : { kind: [type, level].filter(Boolean).join(', ') }),
    }
  })
}
