import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'

/** One subtask: who should answer what, and whose answers it needs. */
export interface Step {
  readonly id: string
  /** A skill without `skill:`. */
  readonly skill: string
  /** With `$id` where the answer of another step goes. */
  readonly question: string
  /** Ids of the steps named in the question. */
  readonly needs: readonly string[]
}

export type Plan = readonly Step[]

/** More steps than this are no plan for one question. */
export const MAX_STEPS = 12

const MAX_QUESTION_CHARACTERS = 2000

/** A number, a skill and a question. Looked at before the line is taken apart, which takes the square of its length. */
const MAX_LINE_CHARACTERS = MAX_QUESTION_CHARACTERS + 100

/** What instruction models are made to answer with. */
export const PLAN_JSON_SCHEMA: Readonly<Record<string, unknown>> = {
  type: 'object',
  properties: {
    steps: {
      type: 'array',
      maxItems: MAX_STEPS,
      items: {
        type: 'object',
        properties: { id: { type: 'string' }, skill: { type: 'string' }, question: { type: 'string' } },
        required: ['id', 'skill', 'question'],
        additionalProperties: false,
      },
    },
  },
  required: ['steps'],
  additionalProperties: false,
}

/**
 * Reads what a planner wrote: lines `skill: question` with `$1` for the answer of line 1, or JSON
 * `{"steps":[{"id","skill","question"}]}` (also a bare list, `prompt` for `question`). The result is a graph without
 * cycles. Throws INVALID_PATHWAY with what is wrong, in words a planner can use.
 */
export function parsePlan(text: string): Plan {
  const trimmed = text
    .trim()
    .replace(/^```\w*/u, '')
    .replace(/```$/u, '')
    .trim()
  const raw = /^[[{]/u.test(trimmed) ? fromJson(trimmed) : fromLines(trimmed)
  if (raw.length === 0) throw wrong('it has no steps')
  if (raw.length > MAX_STEPS) throw wrong(`it has ${raw.length} steps, at most ${MAX_STEPS} are allowed`)
  const ids = new Set(raw.map(step => step.id))
  if (ids.size !== raw.length) throw wrong('two steps have the same id')
  const steps = raw.map(step => ({ ...step, needs: referencesIn(step.question) }))
  for (const { id, needs } of steps)
    for (const need of needs) {
      if (need === id) throw wrong(`step ${id} needs its own answer`)
      if (!ids.has(need)) throw wrong(`step ${id} needs $${need}, and there is no such step`)
    }
  refuseCycles(steps)
  return steps
}

/** The steps whose answers no other step needs: together they answer the question. */
export const sinksOf = (plan: Plan): readonly Step[] =>
  plan.filter(({ id }) => !plan.some(other => other.needs.includes(id)))

/** The question of a step with the answers it needs put in. */
export const fillIn = (step: Step, answers: ReadonlyMap<string, string>): string =>
  step.question.replace(
    REFERENCE,
    (whole, braced?: string, plain?: string) => answers.get(braced ?? plain ?? '') ?? whole,
  )

/** Length of the longest chain of steps. */
export function depthOf(plan: Plan): number {
  const depths = new Map<string, number>()
  const depth = (step: Step): number => {
    const known = depths.get(step.id)
    if (known !== undefined) return known
    const needed = plan.filter(({ id }) => step.needs.includes(id))
    const own = 1 + Math.max(0, ...needed.map(depth))
    depths.set(step.id, own)
    return own
  }
  return Math.max(0, ...plan.map(depth))
}

/** `$1`, `${1}`, `$name`; `$5.00` and `$1,000` are money where no such step exists, so they are checked by id. */
const REFERENCE = /\$\{([\p{L}\p{N}_-]{1,32})\}|\$([\p{L}\p{N}_]{1,32})(?![.,]\d)/gu

const referencesIn = (question: string): readonly string[] => [
  ...new Set([...question.matchAll(REFERENCE)].map(([, braced, plain]) => braced ?? plain ?? '')),
]

interface RawStep {
  readonly id: string
  readonly skill: string
  readonly question: string
}

const LINE = /^(?:step\s*)?(?:\$?\d{1,2}\s*[.):]\s*)?[-*]?\s*(?:skill:)?([\p{L}][\p{L}\p{N}_-]{0,40})\s*:\s*(\S.*)$/iu

function fromLines(text: string): readonly RawStep[] {
  const lines = text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  return lines.map((line, index) => {
    if (line.length > MAX_LINE_CHARACTERS) throw wrong(`line ${index + 1} is too long`)
    const [, skill, question] = LINE.exec(line) ?? []
    if (!skill || !question) throw wrong(`line ${index + 1} is not "skill: question"`)
    if (question.length > MAX_QUESTION_CHARACTERS) throw wrong(`line ${index + 1} is too long`)
    return { id: String(index + 1), skill: skill.toLowerCase(), question }
  })
}

const id = z
  .union([z.string().regex(/^\$?[\p{L}\p{N}_-]{1,32}$/u), z.int().min(0).max(999)])
  .transform(value => String(value).replace(/^\$/u, ''))
const RawStepSchema = z
  .object({
    id,
    skill: z
      .string()
      .min(1)
      .max(60)
      .transform(skill => skill.replace(/^@?(?:skill:)?/u, '').toLowerCase()),
    question: z.string().min(1).max(MAX_QUESTION_CHARACTERS).optional(),
    prompt: z.string().min(1).max(MAX_QUESTION_CHARACTERS).optional(),
  })
  .refine(step => step.question !== undefined || step.prompt !== undefined, 'expected a question')
const RawPlanSchema = z.union([
  z.array(RawStepSchema).max(MAX_STEPS),
  z.object({ steps: z.array(RawStepSchema).max(MAX_STEPS) }).transform(plan => plan.steps),
])

function fromJson(text: string): readonly RawStep[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('it is not valid JSON')
  }
  const result = RawPlanSchema.safeParse(value)
  if (!result.success) throw wrong('it is not {"steps":[{"id","skill","question"}]}')
  return result.data.map(({ id: stepId, skill, question, prompt }) => ({
    id: stepId,
    skill,
    question: question ?? prompt ?? '',
  }))
}

function refuseCycles(plan: Plan): void {
  const left = new Map(plan.map(step => [step.id, step]))
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ needs }) => needs.every(need => !left.has(need)))
    if (ready.length === 0) throw wrong(`the steps ${[...left.keys()].join(', ')} wait for one another`)
    for (const { id: done } of ready) left.delete(done)
  }
}

const wrong = (problem: string): ModelNetError =>
  new ModelNetError('INVALID_PATHWAY', `the plan cannot be used: ${problem}`)
