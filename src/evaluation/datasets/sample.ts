import { createHash } from 'node:crypto'
import { createRandom } from '../../utils/random.ts'
import type { Question } from '../question.ts'

/** Of 256 hash values, as in `training/generators/base.py`: about one key in ten is never trained on. */
const HELD_OUT_SHARE = 26

/** The held-out rule of the shipped models: it looks at a question's canonical key only, so no phrasing leaks. */
export const isHeldOut = (key: string): boolean =>
  (createHash('sha256').update(key).digest()[0] ?? 255) < HELD_OUT_SHARE

/** `count` of the questions, drawn without replacement; same seed, same sample. All of them when there are fewer. */
export function sample(questions: readonly Question[], count: number, seed = 1): readonly Question[] {
  const random = createRandom(seed).fork('sample')
  const keyed = questions.map(question => ({ question, draw: random.next() }))
  return keyed
    .sort((a, b) => a.draw - b.draw)
    .slice(0, count)
    .map(({ question }) => question)
}

/**
 * Two parts that share no question: one to choose on, one to report. The side of a question depends on its id and the
 * seed alone.
 */
export function splitForChoice(
  questions: readonly Question[],
  share: number,
  seed = 1,
): { readonly selection: readonly Question[]; readonly report: readonly Question[] } {
  const random = createRandom(seed).fork('split')
  const side = (question: Question): boolean => random.fork(question.id).next() < share
  return { selection: questions.filter(side), report: questions.filter(question => !side(question)) }
}
