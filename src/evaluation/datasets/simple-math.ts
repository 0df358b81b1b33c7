import { createRandom } from '../../utils/random.ts'
import type { Question } from '../question.ts'

/** Largest operand, from DuetNet section 4.1: integers 0 to 30. */
const MAX_OPERAND = 30

/** SimpleMath exactly as DuetNet defines it: a+b*c+d-e*f over integers 0 to 30, multiplication first; distinct questions. */
export function simpleMath(count: number, seed = 1): readonly Question[] {
  const random = createRandom(seed).fork('simple-math')
  const draw = (): number => Math.floor(random.next() * (MAX_OPERAND + 1))
  const questions = new Map<string, Question>()
  while (questions.size < count) {
    const [a, b, c, d, e, f] = [draw(), draw(), draw(), draw(), draw(), draw()]
    const term = `${a}+${b}*${c}+${d}-${e}*${f}`
    questions.set(term, {
      id: `simple-math/${term}`,
      question: `What is ${term}?`,
      answer: String(a + b * c + d - e * f),
      grader: 'number',
      tag: 'skill:arithmetic',
      kind: 'SimpleMath',
    })
  }
  return [...questions.values()]
}
