import { isDeepStrictEqual } from 'node:util'
import canonicalize from 'canonicalize'
import { ModelNetError } from '../../utils/errors.ts'
import { withoutSteps } from './final-answer.ts'
import type { Grader } from './grader.ts'

/** Longest answer that is searched for JSON, in characters. */
const MAX_LENGTH = 100_000

/** Equality of JSON values: order of keys and white space do not matter, order of lists does. */
export const jsonGrader: Grader = {
  name: 'json',
  key(answer) {
    const value = readJson(answer)
    return value && canonicalize(value.json)
  },
  grade(answer, expected) {
    let wanted: unknown
    try {
      wanted = JSON.parse(expected)
    } catch (cause) {
      throw new ModelNetError('INVALID_REQUEST', `expected JSON as the right answer, got "${expected.slice(0, 80)}"`, {
        cause,
      })
    }
    const value = readJson(answer)
    if (!value) return { verdict: 'abstained' }
    const extracted = canonicalize(value.json) ?? ''
    return { verdict: isDeepStrictEqual(value.json, wanted) ? 'right' : 'wrong', extracted }
  },
}

/** The JSON of an answer: the whole text, its last fenced block, or from the first opening to the last closing bracket. */
function readJson(answer: string): { readonly json: unknown } | undefined {
  const text = answer.slice(0, MAX_LENGTH)
  const fenced = [...text.matchAll(/```(?:json)?\s*\n?([\s\S]*?)```/giu)].at(-1)?.[1]
  const visible = withoutSteps(text)
  const start = visible.search(/[[{]/u)
  const end = Math.max(visible.lastIndexOf(']'), visible.lastIndexOf('}'))
  for (const candidate of [visible, fenced, start >= 0 && end > start ? visible.slice(start, end + 1) : undefined]) {
    if (candidate === undefined) continue
    try {
      return { json: JSON.parse(candidate) as unknown }
    } catch {
      // not JSON as a whole: the next, narrower place may be
    }
  }
  return undefined
}
