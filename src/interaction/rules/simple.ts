import { ModelNetError } from '../../utils/errors.ts'
import type { Answer, Board, PathwayContext } from '../pathway/path.ts'
import type { Rule } from '../pathway/vocabulary.ts'
import { bestMade, totalUsage } from './ballots.ts'

const choose = (
  name: string,
  description: string,
  by: (board: Board, context: PathwayContext) => Answer | undefined,
): Rule => ({
  name,
  description,
  // biome-ignore lint/correctness/useYield: a rule that asks nobody has nothing to tell
  async *run(board, context) {
    const chosen = by(board, context)
    if (!chosen) throw new ModelNetError('NO_CANDIDATE', 'there are no answers to pick from')
    return { ...chosen, usage: totalUsage(board.answers) }
  },
})

export const first: Rule = choose('first', 'the first answer', board => board.answers[0])

export const best: Rule = choose('best', 'the answer of the member most is expected of', bestMade)

export const surest: Rule = choose('surest', 'the answer its maker is surest of', ({ answers }) =>
  answers.reduce<Answer | undefined>(
    (top, each) => (top && (top.confidence ?? 0) >= (each.confidence ?? 0) ? top : each),
    undefined,
  ),
)

export const any: Rule = choose(
  'any',
  'an answer drawn at random: the baseline of a rule',
  ({ answers }, { random }) => answers[Math.floor(random.next() * answers.length)],
)

/** Leaves the board as it is: what `par` needs where one branch is the answer so far. */
export const all: Rule = {
  name: 'all',
  description: 'all answers as they are',
  bound: given => ({ answers: given.answers ?? 0 }),
  // biome-ignore lint/correctness/useYield: a rule that asks nobody has nothing to tell
  async *run(board) {
    return board.answers
  },
}

/** Says that no answer is given, in the language of the question. */
export const unknown: Rule = {
  name: 'unknown',
  description: 'no answer: says that it is not known',
  // biome-ignore lint/correctness/useYield: a rule that asks nobody has nothing to tell
  async *run(board) {
    const text = UNKNOWN[board.analysis.language] ?? UNKNOWN['en'] ?? ''
    return { text, by: 'unknown', usage: totalUsage(board.answers), confidence: 0, abstained: true }
  },
}

const UNKNOWN: Readonly<Record<string, string>> = {
  en: 'I do not know.',
  zh: '我不知道。',
  de: 'Das weiß ich nicht.',
  fr: 'Je ne sais pas.',
  es: 'No lo sé.',
}
