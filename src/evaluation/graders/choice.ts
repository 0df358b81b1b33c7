import { announced, boxed, isRefusal, withoutSteps } from './final-answer.ts'
import type { GradeOptions, Grader } from './grader.ts'
import { normaliseText, textGrader } from './text.ts'

/** A letter that stands for an option, not the article "A" or the pronoun "I": marked by brackets, a point or the end. */
const MARKED = /(?:^|[\s*_"'“(（[{【])([A-J])(?=[)）\]}】.:：、,，;*_"'”]|\s*$)/gu
const ALONE = /(?<![\p{L}\p{N}'])([A-J])(?![\p{L}\p{N}'])/gu
/** Right after an announcement a letter needs no mark and no capital. */
const STATED = /^(?:option|choice|选项)?[\s*_"'“([（{【$]*([A-Ja-j])(?![\p{L}\p{N}'])/u

/**
 * Multiple choice by letter, A to J, or by the text of exactly one option. Where the right answer is given as text and
 * not as a letter, the words of the answer are compared.
 */
export const choiceGrader: Grader = {
  name: 'choice',
  key: (answer, options) => readLetter(answer, options) ?? textGrader.key(answer, options),
  grade(answer, expected, options) {
    const wanted = /^[([]?([A-Ja-j])[)\].]?$/u.exec(expected.trim())?.[1]?.toUpperCase()
    if (!wanted) return textGrader.grade(answer, expected, options)
    const extracted = readLetter(answer, options)
    if (extracted === undefined) return { verdict: 'abstained' }
    return { verdict: extracted === wanted ? 'right' : 'wrong', extracted }
  },
}

function readLetter(answer: string, options: GradeOptions = {}): string | undefined {
  const bracketed = /^\s*[(（]([A-J])[)）]/u.exec(answer)?.[1] // not worked steps: an option before its text
  const text = bracketed === undefined ? withoutSteps(answer) : answer
  if (isRefusal(text)) return undefined
  const inRange = (letter: string | undefined): string | undefined =>
    letter !== undefined && (!options.choices || letter.charCodeAt(0) - 65 < options.choices.length)
      ? letter
      : undefined
  for (const place of [boxed(text), announced(text)]) {
    const letter = place === undefined ? undefined : inRange(STATED.exec(place)?.[1]?.toUpperCase())
    if (letter) return letter
  }
  const either = /^[\s(（[]*([A-J])[)）\]]?\s*(?:or|and|\/|,|或|和)\s*[(（[]?([A-J])[)）\].]*\s*$/u.exec(text)
  if (either && either[1] !== either[2]) return undefined // an abstention, not a guess
  const opening = inRange(/^[\s*_"'“([（{【]*([A-J])(?:[)）\]}】.:：、,，*_"'”]|\s*$)/u.exec(text)?.[1])
  if (opening) return opening
  const small = /^[(（]?([a-j])[).）]?$/u.exec(text)?.[1]
  if (small) return inRange(small.toUpperCase())
  const marked = new Set([...text.matchAll(MARKED)].map(match => match[1]))
  const letters = new Set([...text.matchAll(ALONE)].map(match => inRange(match[1])))
  for (const word of ['A', 'I']) if (!marked.has(word)) letters.delete(word)
  letters.delete(undefined)
  if (letters.size > 0) return letters.size === 1 ? [...letters][0] : undefined // two letters: an abstention, not a guess
  return byOptionText(text, options.choices ?? [])
}

function byOptionText(text: string, choices: readonly string[]): string | undefined {
  const said = normaliseText(announced(text) ?? text)
  const equal = choices.flatMap((choice, index) => (normaliseText(choice) === said ? [index] : []))
  const within =
    equal.length > 0
      ? equal
      : choices.flatMap((choice, index) => (` ${said} `.includes(` ${normaliseText(choice)} `) ? [index] : []))
  return within.length === 1 ? String.fromCharCode(65 + (within[0] ?? 0)) : undefined
}
