import { createRandom, type Random } from '../../utils/random.ts'
import type { Question } from '../question.ts'

/** A fact that one specialist knows, as it stands inside a longer question: "the capital of France" is "Paris". */
export interface Fact {
  readonly phrase: string
  readonly answer: string
  readonly tag: string
}

/** Questions of held-out files that ask for one fact, as the noun phrase they ask for. */
const PATTERNS: readonly RegExp[] = [
  /^what is (the atomic number of [\p{L} ]+)\?$/iu,
  /^what is (the capital of [\p{L}' ]+)\?$/iu,
  /^which is (the largest city of [\p{L}' ]+)\?$/iu,
]

/** The facts that a set of questions asks for in a form that fits into a longer question. */
export function factsOf(questions: readonly Question[]): readonly Fact[] {
  return questions.flatMap(({ question, answer, tag = 'skill:facts' }) => {
    const phrase = PATTERNS.map(pattern => pattern.exec(question)?.[1]).find(match => match !== undefined)
    return phrase === undefined ? [] : [{ phrase, answer, tag }]
  })
}

/**
 * Questions that need two specialists and arithmetic, such as the atomic number of iron plus the number of letters in
 * the capital of France. No field's model can answer them alone. Same seed, same questions.
 */
export function compositeQuestions(facts: readonly Fact[], count: number, seed = 1): readonly Question[] {
  const random = createRandom(seed).fork('composite')
  const numbers = facts.filter(fact => /^\d+$/u.test(fact.answer))
  const names = facts.filter(fact => /^[\p{L}]+$/u.test(fact.answer))
  if (numbers.length === 0 || names.length === 0) return []
  const questions = new Map<string, Question>()
  for (let turn = 0; questions.size < count && turn < count * 50; turn++) {
    const question = compose(draw(random, numbers), draw(random, names), random.next() < 0.5)
    questions.set(question.id, question)
  }
  return [...questions.values()]
}

const draw = (random: Random, facts: readonly Fact[]): Fact => facts[Math.floor(random.next() * facts.length)] as Fact // not empty: checked above

function compose(value: Fact, name: Fact, plus: boolean): Question {
  const [number, letters] = [Number(value.answer), name.answer.length]
  const sum = plus || number < letters
  return {
    id: `composite/${sum ? 'plus' : 'minus'}/${value.phrase}/${name.phrase}`,
    question: `What is ${value.phrase} ${sum ? 'plus' : 'minus'} the number of letters in ${name.phrase}?`,
    answer: String(sum ? number + letters : number - letters),
    grader: 'number',
    tag: 'skill:planning',
    kind: sum ? 'sum' : 'difference',
  }
}
