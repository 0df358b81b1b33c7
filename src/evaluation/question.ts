import { z } from 'zod'
import { GRADER_NAMES, type GraderName, guessGrader } from './graders.ts'

/** One question of a data set with its right answer. */
export interface Question {
  /** Unique within its data set. */
  readonly id: string
  /** The whole prompt, options included. */
  readonly question: string
  readonly answer: string
  readonly grader: GraderName
  /** The skill it asks for, as on model cards: `skill:arithmetic`. */
  readonly tag?: string
  /** The kind of question within its field, for break-downs. */
  readonly kind?: string
  /** Texts of the options of a multiple-choice question, A first. */
  readonly choices?: readonly string[]
}

const short = z.string().min(1).max(200)

/** A row of a questions file: `question` and `answer` are needed, the rest has defaults. */
export const QuestionRowSchema: z.ZodType<
  Omit<Question, 'id' | 'grader'> & { id?: string | undefined; grader?: GraderName | undefined }
> = z.object({
  id: z.union([short, z.number().transform(String)]).optional(),
  question: z.string().min(1).max(100_000),
  answer: z.union([
    z.string().min(1).max(100_000),
    z.number().transform(String),
    z.boolean().transform(value => (value ? 'yes' : 'no')),
  ]),
  grader: z.enum(GRADER_NAMES).optional(),
  tag: short.exactOptional(),
  kind: short.exactOptional(),
  choices: z.array(z.string()).min(2).max(10).exactOptional(),
})

/** Fills in what a row leaves out; `index` names rows without an id. */
export function toQuestion(row: z.infer<typeof QuestionRowSchema>, index: number): Question {
  const { id = String(index + 1), grader = guessGrader(row.answer), ...rest } = row
  return { ...rest, id, grader }
}
