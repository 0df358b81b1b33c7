import type { Random } from '../../../src/utils/random.ts'
import { COMPOSITE_SLOTS, COMPOSITES, OTHERS } from './composites.ts'
import type { Slots } from './grammar.ts'
import { expand, pick, vary } from './grammar.ts'
import { PHRASINGS } from './phrasings.ts'
import { inventName, SLOTS } from './slots.ts'

export interface LabelledQuestion {
  readonly question: string
  readonly label: string
}

const SINGLE = Object.keys(PHRASINGS).filter(label => label !== 'skill:review')

/** Any question of one skill, or an answer to one, inside another pattern. */
const ALL_SLOTS: Slots = {
  ...SLOTS,
  ...COMPOSITE_SLOTS,
  any: random => expand(pick(random, PHRASINGS[pick(random, SINGLE)] ?? []), SLOTS, random),
  answer: random =>
    pick(random, [
      () => expand('{n}', SLOTS, random),
      () => expand('[{city}|{word}|{day}|{element}|yes|no|true|{symbol}|{country}]', SLOTS, random),
      () => inventName(random),
    ])(),
}

/** Labels and their share of the questions: what is not of the shipped skills is as varied as all of them together. */
const SHARES: readonly (readonly [string, number, readonly string[]])[] = [
  ...Object.entries(PHRASINGS).map(([label, patterns]) => [label, 1, patterns] as const),
  ['skill:planning', 2, COMPOSITES],
  ['skill:general', 2, OTHERS],
]

/** Labelled questions, different draws of the same patterns. */
export function generateQuestions(count: number, random: Random): readonly LabelledQuestion[] {
  const total = SHARES.reduce((sum, [, share]) => sum + share, 0)
  return SHARES.flatMap(([label, share, patterns]) =>
    Array.from({ length: Math.round((count * share) / total) }, () => ({
      question: vary(expand(pick(random, patterns), ALL_SLOTS, random), random),
      label,
    })),
  )
}
