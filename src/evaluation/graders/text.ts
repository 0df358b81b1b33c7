import { announced, boxed, isRefusal, withoutSteps } from './final-answer.ts'
import type { Grader } from './grader.ts'

/** Lower case, compatibility forms, no marks, no articles (unless nothing else is there), single spaces: what two spellings of one answer share. */
export function normaliseText(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/gu, '')
    .replace(/[\p{P}\p{S}]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()
  const withoutArticles = words.replace(/\b(?:a|an|the) (?=\S)/gu, '')
  return withoutArticles === '' ? words : withoutArticles
}

/** Normalised equality; a sentence that ends in the answer ("The capital of France is Paris.") counts as that answer. */
export const textGrader: Grader = {
  name: 'text',
  key(answer) {
    const text = withoutSteps(answer)
    if (isRefusal(text)) return undefined
    const key = normaliseText(boxed(text) ?? announced(text) ?? text)
    return key === '' ? undefined : key
  },
  grade(answer, expected) {
    const extracted = this.key(answer)
    if (extracted === undefined) return { verdict: 'abstained' }
    const wanted = normaliseText(expected)
    if (extracted === wanted || normaliseText(withoutSteps(answer)) === wanted) return { verdict: 'right', extracted }
    const complement = afterCopula(withoutSteps(answer))
    if (complement !== undefined && complement === wanted) return { verdict: 'right', extracted: complement }
    return { verdict: 'wrong', extracted }
  },
}

/** The answer as it stands, white space at the ends aside. */
export const exactGrader: Grader = {
  name: 'exact',
  key(answer) {
    const text = withoutSteps(answer)
    return text === '' ? undefined : text
  },
  grade(answer, expected) {
    const extracted = this.key(answer)
    if (extracted === undefined) return { verdict: 'abstained' }
    return { verdict: extracted === expected.trim() ? 'right' : 'wrong', extracted }
  },
}

/** What follows the last "is/are/was/were" of a one-sentence answer. */
function afterCopula(text: string): string | undefined {
  const match = /^[^.!?。\n]*\b(?:is|are|was|were)\s+([^.!?。\n]+)[.!?。]?$/iu.exec(text.trim())
  return match?.[1] === undefined ? undefined : normaliseText(match[1])
}
