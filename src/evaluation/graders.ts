import { ModelNetError } from '../utils/errors.ts'
import { booleanGrader } from './graders/boolean.ts'
import { choiceGrader } from './graders/choice.ts'
import type { Grader } from './graders/grader.ts'
import { jsonGrader } from './graders/json.ts'
import { numberGrader } from './graders/number.ts'
import { exactGrader, textGrader } from './graders/text.ts'

/** How an answer may be compared with the expected one. */
export const GRADER_NAMES = ['number', 'choice', 'boolean', 'text', 'exact', 'json'] as const
export type GraderName = (typeof GRADER_NAMES)[number]

const GRADERS: Readonly<Record<GraderName, Grader>> = {
  number: numberGrader,
  choice: choiceGrader,
  boolean: booleanGrader,
  text: textGrader,
  exact: exactGrader,
  json: jsonGrader,
}

const isGraderName = (name: string): name is GraderName => Object.hasOwn(GRADERS, name)

/** @throws INVALID_REQUEST for a name that is not in `GRADER_NAMES` */
export function graderOf(name: string): Grader {
  if (!isGraderName(name))
    throw new ModelNetError(
      'INVALID_REQUEST',
      `there is no grader "${name}"; expected one of ${GRADER_NAMES.join(', ')}`,
    )
  return GRADERS[name]
}

/** The grader that fits an expected answer when the row does not name one. */
export function guessGrader(expected: string): GraderName {
  const text = expected.trim()
  if (/^(?:yes|no|true|false)$/iu.test(text)) return 'boolean'
  if (/^[A-J]$/u.test(text)) return 'choice'
  if (/^[[{]/u.test(text)) return 'json'
  return /^[-+$]?[\d.,/\s]*\d\s?%?$/u.test(text) ? 'number' : 'text'
}
