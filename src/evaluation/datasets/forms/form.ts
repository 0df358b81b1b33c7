import type { Random } from '../../../utils/random.ts'
import type { GraderName } from '../../graders.ts'

/** What stands in the gaps of a phrasing, by name. */
export type Slots = Readonly<Record<string, string>>

export interface Solved {
  readonly answer: string
  /** Canonical: phrasings of one question share it, where the question is computed; the text `training/generators` uses. */
  readonly key: string
  readonly grader: GraderName
}

/**
 * A kind of question of a field: how it is put, what may stand in its gaps, and what follows from them. Made questions
 * and questions read from a file are answered by the same `solve`.
 */
export interface Form {
  readonly kind: string
  /** All the ways to put it; `{name}` is a gap. Where keys hold the place of the phrasing, in the order of the training. */
  readonly phrasings: readonly string[]
  /** Patterns of gaps that are neither a number nor any other text. */
  readonly gaps?: Readonly<Record<string, string>>
  /** Other words for a phrasing, by its place: read like it, never made. */
  readonly also?: Readonly<Record<number, string>>
  /** A gap at the beginning is written with a capital letter. @default false */
  readonly capital?: boolean
  /** Undefined where what was drawn makes no question. */
  draw(random: Random): Slots | undefined
  /** Undefined where the gaps hold nothing this form knows. */
  solve(slots: Slots, phrasing: number): Solved | undefined
}

export interface Draft extends Solved {
  readonly question: string
  readonly kind: string
}

/** A question of the form, not yet looked at whether it is held out. */
export function draft(form: Form, random: Random): Draft | undefined {
  const slots = form.draw(random)
  if (!slots) return undefined
  const phrasing = Math.floor(random.next() * form.phrasings.length)
  const solved = form.solve(slots, phrasing)
  const text = (form.phrasings[phrasing] ?? '').replace(/\{(\w+)\}/gu, (_, name: string) => slots[name] ?? '')
  const question = form.capital ? text.slice(0, 1).toUpperCase() + text.slice(1) : text
  return solved && { ...solved, kind: form.kind, question }
}

/** The forms that a question can be read as, with answer and key; small and capital letters and the last mark do not count. */
export function read(forms: readonly Form[], question: string): readonly Draft[] {
  return forms.flatMap(form =>
    form.phrasings.flatMap((phrasing, index) =>
      [phrasing, form.also?.[index]].flatMap(words => {
        const slots = words === undefined ? undefined : patternOf(form, words).exec(question)?.groups
        const solved = slots && form.solve(slots, index)
        return solved ? [{ ...solved, kind: form.kind, question }] : []
      }),
    ),
  )
}

/** A phrasing as a pattern; a gap that comes twice must hold the same both times. */
function patternOf({ gaps = {} }: Form, phrasing: string): RegExp {
  const seen = new Set<string>()
  const body = phrasing
    .replace(/\s*[?.]$/u, '')
    .replace(/[.*+?^$()|[\]\\]/gu, '\\$&')
    .replace(/\{(\w+)\}/gu, (_, name: string) => {
      if (seen.has(name)) return `\\k<${name}>`
      seen.add(name)
      return `(?<${name}>${gaps[name] ?? '.+?'})`
    })
  return new RegExp(`^${body}\\s*[?.]?$`, 'iu')
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T // lists here are never empty

export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random.next() * (high - low + 1))

/** A number of one to three digits, each length equally likely. */
export const number = (random: Random): number =>
  pick(random, [() => between(random, 0, 9), () => between(random, 10, 99), () => between(random, 100, 999)])()

export const numeric = (answer: number, key: string): Solved => ({ answer: String(answer), key, grader: 'number' })

/** Gaps of whole numbers as numbers; undefined where one is none. */
export function numbers(slots: Slots, names: readonly string[]): readonly number[] | undefined {
  const texts = names.map(name => slots[name] ?? '')
  return texts.every(text => /^\d{1,6}$/u.test(text)) ? texts.map(Number) : undefined
}

/** The place of a name in a list, whatever its capitals; -1 where it is not there. */
export const placeOf = (names: readonly string[], name = ''): number =>
  names.findIndex(known => known.toLowerCase() === name.toLowerCase())
