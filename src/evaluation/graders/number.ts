import { ModelNetError } from '../../utils/errors.ts'
import { announced, boxed, isRefusal, withoutSteps } from './final-answer.ts'
import type { Grader } from './grader.ts'
import { type Quantity, quantities, quantityKey, sameQuantity } from './quantity.ts'

/** Numeric equality with units, fractions, percent, thousands separators and LaTeX. */
export const numberGrader: Grader = {
  name: 'number',
  key(answer) {
    const quantity = readNumber(answer)
    return quantity && quantityKey(quantity)
  },
  grade(answer, expected) {
    const wanted = quantities(expected).at(-1)
    if (!wanted)
      throw new ModelNetError(
        'INVALID_REQUEST',
        `expected a number as the right answer, got "${expected.slice(0, 80)}"`,
      )
    const quantity = readNumber(answer)
    if (!quantity) return { verdict: 'abstained' }
    return { verdict: sameQuantity(quantity, wanted) ? 'right' : 'wrong', extracted: quantityKey(quantity) }
  },
}

/** The number a text gives as its answer: boxed, announced (then the first, or what an equation ends in), or its last. */
function readNumber(answer: string): Quantity | undefined {
  const text = withoutSteps(answer)
  if (isRefusal(text)) return undefined
  const box = boxed(text)
  const inBox = box === undefined ? undefined : quantities(box).at(-1)
  if (inBox) return inBox
  const statement = announced(text)?.split('\n')[0]
  const inStatement = statement === undefined ? [] : quantities(statement.slice(statement.lastIndexOf('=') + 1))
  return inStatement[0] ?? quantities(text).at(-1)
}
