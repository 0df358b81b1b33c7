import { ModelNetError } from '../../utils/errors.ts'
import { announced, boxed, isRefusal, withoutSteps } from './final-answer.ts'
import type { Grader } from './grader.ts'

const TRUE = /^(?:yes|yeah|yep|true|correct|right|是的?|对的?|正确|真|t|y)$/iu
const FALSE = /^(?:no|nope|not|false|incorrect|wrong|不是|不对|否|错误?的?|不正确|假|f|n)$/iu
const WORD = /不正确|不是|不对|正确|是的?|对的?|否|错误?|真|假|\p{Script=Latin}+/gu
/** Words that count anywhere in a sentence; `right`, `not` and single letters only count where they open an answer. */
const PLAIN_TRUE = /^(?:yes|true)$/iu
const PLAIN_FALSE = /^(?:no|false)$/iu

/** Yes/no questions; the key is `yes` or `no`. */
export const booleanGrader: Grader = {
  name: 'boolean',
  key: readBoolean,
  grade(answer, expected) {
    const wanted = polarity(expected.trim())
    if (!wanted)
      throw new ModelNetError(
        'INVALID_REQUEST',
        `expected yes or no as the right answer, got "${expected.slice(0, 80)}"`,
      )
    const extracted = readBoolean(answer)
    if (extracted === undefined) return { verdict: 'abstained' }
    return { verdict: extracted === wanted ? 'right' : 'wrong', extracted }
  },
}

const polarity = (word: string): 'yes' | 'no' | undefined =>
  TRUE.test(word) ? 'yes' : FALSE.test(word) ? 'no' : undefined

function readBoolean(answer: string): 'yes' | 'no' | undefined {
  const text = withoutSteps(answer)
  if (isRefusal(text)) return undefined
  for (const place of [boxed(text), announced(text), text]) {
    const opening = place?.match(WORD)?.[0]
    const said = opening === undefined ? undefined : polarity(opening)
    if (said) return said
  }
  const negated =
    /^[^.!?;]*\b(?:not|isn't|isn’t|never)\s+(?:at all |really |actually )?(true|right|correct|false|wrong|incorrect)\b/iu.exec(
      text,
    )
  if (negated?.[1]) return polarity(negated[1]) === 'yes' ? 'no' : 'yes'
  const words = text.match(WORD) ?? []
  const found = new Set(
    words.flatMap(word => (PLAIN_TRUE.test(word) ? ['yes' as const] : PLAIN_FALSE.test(word) ? ['no' as const] : [])),
  )
  return found.size === 1 ? [...found][0] : undefined
}
