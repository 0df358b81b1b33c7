import { type AnswerFormat, finalAnswer, keyOf } from '../answers/key.ts'
import { sanitizePeerText } from '../fence.ts'
import { partOf } from '../pathway/context.ts'
import type { Answer, Board, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import { resolve, type Wanted } from '../pathway/resolve.ts'
import { runCall } from '../pathway/run-call.ts'
import { questionOf } from '../prompts.ts'
import { isTrainedReviewer } from './abilities.ts'

/** Characters of an answer that a reviewer is shown: it judges short answers. */
const MAX_ANSWER_CHARACTERS = 400

/** The part of the scope that a review is recorded under. */
const REVIEW = 'review'

/** What a reviewer said. */
export interface Review {
  /** Undefined when it said neither: an abstention. */
  readonly verdict: 'yes' | 'no' | undefined
  /** What the answer should be, where it was wrong. */
  readonly correction?: string
  /** The whole reply, worked steps included. */
  readonly text: string
  readonly by: string
  readonly usage: Answer['usage']
}

/** Whether who would serve this was trained to review, and so is asked in its own form and not in prose. */
export function isReviewer(wanted: Wanted, board: Board, context: PathwayContext): boolean {
  if (context.recorded) return context.recorded.has(partOf(context, REVIEW).scope) // a replay has no models
  const [lead] = resolve(wanted, board, context.matcher)
  return lead !== undefined && isTrainedReviewer(lead)
}

/** The form reviewers are trained on (training/README.md): only the answer itself, without worked steps or a sentence. */
export function reviewPrompt(question: string, answer: string, format: AnswerFormat = 'text'): string {
  const bare = (format === 'number' ? keyOf(answer, format) : undefined) ?? finalAnswer(answer)
  const asked = /[?.]\s*$/u.test(question) ? question : `${question}?` // as in training: the end of the question is marked
  return `Question: ${asked}\nAnswer: ${sanitizePeerText(bare, MAX_ANSWER_CHARACTERS).trim()}`
}

/** Asks a reviewer about an answer. */
export async function* askReviewer(
  wanted: Wanted,
  answer: Answer,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Review> {
  const content = reviewPrompt(questionOf(board.task.messages), answer.text, board.analysis.format)
  const reply = yield* runCall(
    {
      ...wanted,
      messages: [{ role: 'user', content }],
      options: { temperature: 0 },
      why: 'reviews',
      tainted: true,
    },
    board,
    partOf(context, REVIEW, { visible: false }),
  )
  return { ...readReview(reply.text), text: reply.text, by: reply.by, usage: reply.usage }
}

/** Reads `(worked steps) correct` or `(worked steps) wrong: 85`; anything else is an abstention. */
export function readReview(text: string): Pick<Review, 'verdict' | 'correction'> {
  const said = finalAnswer(text)
  if (/^correct\.?$/iu.test(said)) return { verdict: 'yes' }
  const correction = /^wrong:\s*(\S[^\n]*)$/iu.exec(said)?.[1]?.trim()
  return correction === undefined ? { verdict: undefined } : { verdict: 'no', correction }
}
