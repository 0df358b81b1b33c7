import { createRandom } from '../../utils/random.ts'
import type { Question } from '../question.ts'
import { ARITHMETIC } from './forms/arithmetic.ts'
import { CALENDAR } from './forms/calendar.ts'
import { CHEMISTRY } from './forms/chemistry.ts'
import { type Draft, draft, type Form, read } from './forms/form.ts'
import { GEOGRAPHY } from './forms/geography.ts'
import { LOGIC } from './forms/logic.ts'
import { UNIT_CONVERSION } from './forms/units.ts'
import { WORDS } from './forms/words.ts'
import { isHeldOut } from './sample.ts'

/** Fields whose questions are made here; facts of geography and chemistry come from the project's own tables. */
export const COMPUTED_FIELDS = ['arithmetic', 'calendar', 'chemistry', 'geography', 'logic', 'units', 'words'] as const
export type ComputedField = (typeof COMPUTED_FIELDS)[number]

const FORMS: Readonly<Record<ComputedField, readonly Form[]>> = {
  arithmetic: ARITHMETIC,
  calendar: CALENDAR,
  chemistry: CHEMISTRY,
  geography: GEOGRAPHY,
  logic: LOGIC,
  units: UNIT_CONVERSION,
  words: WORDS,
}

/**
 * Fresh questions of a specialist's field, of them only those that the hash of their canonical key keeps out of the
 * training of the shipped models. Same seed, same questions; all different, kinds in turn; fewer than `count` only where
 * a field has no more: facts are few.
 */
export function fieldQuestions(field: ComputedField, count: number, seed = 1): readonly Question[] {
  const random = createRandom(seed).fork(field)
  const forms = FORMS[field]
  const questions = new Map<string, Question>()
  for (let turn = 0; questions.size < count && turn < count * 1000; turn++) {
    const form = forms[turn % forms.length]
    const made = form && draft(form, random)
    if (!made || !isHeldOut(made.key)) continue
    const { question, answer, key, grader, kind } = made
    questions.set(key, { id: key, question, answer, grader, tag: `skill:${field}`, kind })
  }
  return [...questions.values()]
}

/**
 * What a question of a field asks for: its kind, its answer and its canonical key. Several where it can be read in
 * several ways, none where nobody here would ask so.
 */
export const readFieldQuestion = (field: ComputedField, question: string): readonly Draft[] =>
  read(FORMS[field], question)
