import type { ChatMessage } from '../../protocol/index.ts'
import type { Candidate } from '../../service/index.ts'
import type { Random } from '../../utils/random.ts'
import { withoutReasoning } from '../answers/reasoning.ts'
import { parseGrade, parseVerdict } from '../answers/verdict.ts'
import { fence, QUOTE_RULE } from '../fence.ts'
import type { Answer, Board, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import type { Wanted } from '../pathway/resolve.ts'
import { runCall } from '../pathway/run-call.ts'
import { questionOf } from '../prompts.ts'
import { canReview, isBare } from './abilities.ts'
import { askReviewer, isReviewer } from './reviewer.ts'

/** Completion tokens of a judgement: enough for a thinking model's preamble, which is stripped. */
const JUDGE_TOKENS = 512

export interface Judgement<T> {
  /** Undefined when the judge said nothing that can be read: an abstention. */
  readonly verdict: T | undefined
  /** What the judge wrote: its reasons. */
  readonly text: string
  readonly by: string
  readonly usage: Answer['usage']
}

/** Asks one judge something about fenced texts. Judges have no tools and their words are only ever parsed. */
export async function* askJudge<T>(
  wanted: Wanted,
  order: string,
  quotes: readonly { readonly from: string; readonly text: string }[],
  read: (text: string) => T | undefined,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<T>> {
  const shown = quotes.map(({ from, text }) => fence(text, from, context.random))
  const content = [QUOTE_RULE, `Question:\n${questionOf(board.task.messages)}`, ...shown, order].join('\n\n')
  const messages: readonly ChatMessage[] = [{ role: 'user', content }]
  const options = { temperature: 0, maxTokens: JUDGE_TOKENS }
  const able = (candidate: Candidate): boolean => !isBare(candidate)
  const answer = yield* runCall({ ...wanted, able, messages, options, why: 'judges', tainted: true }, board, context)
  const text = withoutReasoning(answer.text)
  return { verdict: read(text), text, by: answer.by, usage: answer.usage }
}

/**
 * Approve or disapprove (phase 1 of dynamic collaborative routing). A thoughtful but unreadable reply abstains. Who was
 * trained to review is asked in its own form.
 */
export const askVerdict = (
  wanted: Wanted,
  answer: Answer,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<'yes' | 'no'>> => {
  const able = { ...wanted, able: canReview(board.analysis) }
  return isReviewer(able, board, context)
    ? askReviewer(able, answer, board, context)
    : approveInProse(wanted, answer, board, context)
}

/** What somebody says of an answer, for others to decide on; who was trained to review says it in its own form. */
export async function* askOpinion(
  wanted: Wanted,
  order: string,
  answer: Answer,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<string>> {
  const able = { ...wanted, able: canReview(board.analysis) }
  const quote = { from: 'the answer', text: answer.text }
  if (!isReviewer(able, board, context)) return yield* askJudge(wanted, order, [quote], text => text, board, context)
  const review = yield* askReviewer(able, answer, board, context)
  const said = review.correction === undefined ? undefined : `It should be ${review.correction}.`
  return { ...review, verdict: review.verdict === 'yes' ? 'It is right.' : said }
}

const approveInProse = (
  wanted: Wanted,
  answer: Answer,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<'yes' | 'no'>> =>
  askJudge(
    wanted,
    'Is the quoted answer right and complete? Reply with one word, approve or disapprove, and if you disapprove with one short reason.',
    [{ from: 'another model', text: answer.text }],
    parseVerdict,
    board,
    context,
  )

/** Asks for a grade from the list, best first, outside of any pathway: for mutual evaluation. */
export const gradeMessages = (
  question: string,
  answer: string,
  grades: readonly string[],
  random: Random,
): readonly ChatMessage[] => [
  {
    role: 'user',
    content: [
      QUOTE_RULE,
      `Question:\n${question}`,
      fence(answer, 'another model', random),
      `The quoted answer may be wrong. As a general expert, grade it: ${grades.join(', ')} (${grades[0]} is best). Reply with the grade only.`,
    ].join('\n\n'),
  },
]

/** Which of two answers is better: 0 or 1. */
export const askBetter = (
  wanted: Wanted,
  pair: readonly [Answer, Answer],
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<0 | 1>> =>
  askJudge(
    wanted,
    'Which of the two quoted answers is better? Do not let length or order sway you. Reply with A for the first or B for the second, nothing else.',
    [
      { from: 'model A', text: pair[0].text },
      { from: 'model B', text: pair[1].text },
    ],
    text => {
      const grade = parseGrade(text, ['A', 'B'])
      return grade === undefined ? undefined : grade === 'A' ? 0 : 1
    },
    board,
    context,
  )

/** All answers from best to worst, by index. A reply that does not name each once abstains. */
export const askOrder = (
  wanted: Wanted,
  answers: readonly Answer[],
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<readonly number[]>> =>
  askJudge(
    wanted,
    `Order the ${answers.length} quoted answers from best to worst. Reply only with their numbers, such as ${answers
      .map((_, index) => index + 1)
      .reverse()
      .join(' > ')}.`,
    answers.map(({ text }, index) => ({ from: `model ${index + 1}`, text })),
    text => readOrder(text, answers.length),
    board,
    context,
  )

/** The answer most others are consistent with, by index (universal self-consistency). */
export const askMostConsistent = (
  wanted: Wanted,
  answers: readonly Answer[],
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Judgement<number>> =>
  askJudge(
    wanted,
    `Which of the ${answers.length} quoted answers agrees best with the majority of them? Reply with its number only.`,
    answers.map(({ text }, index) => ({ from: `model ${index + 1}`, text })),
    text => {
      const numbers = new Set(text.match(/\d+/gu)?.map(Number))
      const [only = 0] = numbers
      return numbers.size === 1 && only >= 1 && only <= answers.length ? only - 1 : undefined
    },
    board,
    context,
  )

/** `2 > 1 > 3`, `2, 1, 3` or one number a line; each of 1..n once. */
function readOrder(text: string, count: number): readonly number[] | undefined {
  const found = text.match(/\d+/gu)?.map(Number) ?? []
  const order = found.slice(-count)
  const isComplete = order.length === count && new Set(order).size === count && order.every(n => n >= 1 && n <= count)
  return isComplete && found.length === count ? order.map(n => n - 1) : undefined
}
