import { createRandom, type Random } from '../../utils/random.ts'
import type { GraderName } from '../graders.ts'
import type { Question } from '../question.ts'
import { isHeldOut } from './sample.ts'

/** Fields whose questions can be computed; facts of geography and chemistry are in the models' held-out files. */
export const COMPUTED_FIELDS = ['arithmetic', 'calendar', 'units', 'words'] as const
export type ComputedField = (typeof COMPUTED_FIELDS)[number]

interface Draft {
  readonly question: string
  readonly answer: string
  /** Canonical: phrasings of one question share it; the same text as `training/generators` uses. */
  readonly key: string
  readonly grader: GraderName
}
type Kind = (random: Random) => Draft | undefined

/**
 * Fresh questions of a specialist's field, of them only those that the hash of their canonical key keeps out of the
 * training of the shipped models. Same seed, same questions; all different, kinds in turn; fewer than `count` only where
 * a field has no more.
 */
export function fieldQuestions(field: ComputedField, count: number, seed = 1): readonly Question[] {
  const random = createRandom(seed).fork(field)
  const kinds = Object.entries(FIELDS[field])
  const questions = new Map<string, Question>()
  for (let turn = 0; questions.size < count && turn < count * 1000; turn++) {
    const [kind, make] = kinds[turn % kinds.length] ?? ['', () => undefined]
    const draft = make(random)
    if (!draft || !isHeldOut(draft.key)) continue
    const { question, answer, key, grader } = draft
    questions.set(key, { id: key, question, answer, grader, tag: `skill:${field}`, kind })
  }
  return [...questions.values()]
}

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T // lists here are never empty
const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1))

/** A number of one to three digits, each length equally likely. */
const number = (random: Random): number =>
  pick(random, [() => between(random, 0, 9), () => between(random, 10, 99), () => between(random, 100, 999)])()

const numeric = (question: string, answer: number, key: string): Draft => ({
  question,
  answer: String(answer),
  key,
  grader: 'number',
})
const sorted = (a: number, b: number): string => (a < b ? `${a},${b}` : `${b},${a}`)

const ARITHMETIC: Readonly<Record<string, Kind>> = {
  addition(random) {
    const [a, b] = [number(random), number(random)]
    return numeric(
      pick(random, [`What is ${a} plus ${b}?`, `Calculate ${a}+${b}.`, `What is the sum of ${a} and ${b}?`]),
      a + b,
      `addition:${sorted(a, b)}`,
    )
  },
  subtraction(random) {
    const [x, y] = [number(random), number(random)]
    const [a, b] = [Math.max(x, y), Math.min(x, y)]
    return numeric(
      pick(random, [`What is ${a} minus ${b}?`, `Subtract ${b} from ${a}.`, `Calculate ${a}-${b}.`]),
      a - b,
      `subtraction:${a},${b}`,
    )
  },
  multiplication(random) {
    const [a, b] = [number(random), between(random, 2, 99)]
    return numeric(
      pick(random, [`What is ${a} times ${b}?`, `Multiply ${a} by ${b}.`, `Calculate ${a}*${b}.`]),
      a * b,
      `multiplication:${sorted(a, b)}`,
    )
  },
  division(random) {
    const [quotient, b] = [between(random, 1, 99), between(random, 2, 12)]
    const a = quotient * b
    return a > 999
      ? undefined
      : numeric(pick(random, [`What is ${a} divided by ${b}?`, `Divide ${a} by ${b}.`]), quotient, `division:${a},${b}`)
  },
  remainder(random) {
    const [a, b] = [number(random), between(random, 2, 12)]
    return numeric(`What is the remainder when ${a} is divided by ${b}?`, a % b, `remainder:${a},${b}`)
  },
}

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const
const weekday =
  (direction: 1 | -1): Kind =>
  random => {
    const [day, count] = [between(random, 0, 6), between(random, 2, 130)]
    const word = direction === 1 ? 'after' : 'before'
    const answer = DAYS[(((day + direction * count) % 7) + 7) % 7] ?? ''
    const question = pick(random, [
      `What day comes ${count} days ${word} ${DAYS[day]}?`,
      `Which day is ${count} days ${word} ${DAYS[day]}?`,
    ])
    return { question, answer, key: `calendar:day ${word}:${day},${count}`, grader: 'text' }
  }
const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

const CALENDAR: Readonly<Record<string, Kind>> = {
  'day after': weekday(1),
  'day before': weekday(-1),
  'leap year'(random) {
    const year = between(random, 1500, 2599)
    return {
      question: `Is ${year} a leap year?`,
      answer: isLeap(year) ? 'yes' : 'no',
      key: `calendar:leap year:${year}`,
      grader: 'boolean',
    }
  },
  'days in February'(random) {
    const year = between(random, 1500, 2599)
    return numeric(
      `How many days does February have in ${year}?`,
      isLeap(year) ? 29 : 28,
      `calendar:days in February:${year}`,
    )
  },
}

/** Large unit, small unit, and how many small ones make a large one; short and plural names. */
const FACTORS: readonly (readonly [large: string, larges: string, small: string, smalls: string, factor: number])[] = [
  ['km', 'kilometres', 'm', 'metres', 1000],
  ['m', 'metres', 'cm', 'centimetres', 100],
  ['kg', 'kilograms', 'g', 'grams', 1000],
  ['l', 'litres', 'ml', 'millilitres', 1000],
  ['week', 'weeks', 'day', 'days', 7],
  ['day', 'days', 'h', 'hours', 24],
  ['h', 'hours', 'min', 'minutes', 60],
  ['min', 'minutes', 's', 'seconds', 60],
  ['yd', 'yards', 'ft', 'feet', 3],
  ['ft', 'feet', 'in', 'inches', 12],
]
const UNITS: Readonly<Record<string, Kind>> = {
  down(random) {
    const [large, larges, small, smalls, factor] = pick(random, FACTORS)
    const n = between(random, 2, 99)
    return numeric(
      pick(random, [`How many ${smalls} are in ${n} ${larges}?`, `Convert ${n} ${larges} to ${smalls}.`]),
      n * factor,
      `units:down:${large},${small},${n}`,
    )
  },
  up(random) {
    const [large, larges, small, smalls, factor] = pick(random, FACTORS)
    const result = between(random, 2, factor % 10 === 0 && factor !== 60 ? 99 : Math.floor(999 / factor))
    const n = result * factor
    return numeric(
      pick(random, [`How many ${larges} are ${n} ${smalls}?`, `Convert ${n} ${smalls} to ${larges}.`]),
      result,
      `units:up:${large},${small},${n}`,
    )
  },
}

/** A word that can be spoken, of two to four syllables: no list, so that none was trained on as a whole. */
const madeUpWord = (random: Random): string =>
  Array.from(
    { length: between(random, 2, 4) },
    () => pick(random, [...'bdfgklmnprstvz']) + pick(random, [...'aeiou']),
  ).join('')
const WORDS: Readonly<Record<string, Kind>> = {
  letters(random) {
    const word = madeUpWord(random)
    return numeric(
      pick(random, [`How many letters are in ${word}?`, `Count the letters in ${word}.`]),
      word.length,
      `words:letters:${word}:`,
    )
  },
  'first letter'(random) {
    const word = madeUpWord(random)
    return {
      question: `What is the first letter of ${word}?`,
      answer: word[0] ?? '',
      key: `words:first letter:${word}:`,
      grader: 'text',
    }
  },
  'last letter'(random) {
    const word = madeUpWord(random)
    return {
      question: `What is the last letter of ${word}?`,
      answer: word.at(-1) ?? '',
      key: `words:last letter:${word}:`,
      grader: 'text',
    }
  },
  reverse(random) {
    const word = madeUpWord(random)
    return {
      question: `Reverse the word ${word}.`,
      answer: [...word].reverse().join(''),
      key: `words:reverse:${word}:`,
      grader: 'text',
    }
  },
}

const FIELDS: Readonly<Record<ComputedField, Readonly<Record<string, Kind>>>> = {
  arithmetic: ARITHMETIC,
  calendar: CALENDAR,
  units: UNITS,
  words: WORDS,
}
