import { BARE_TAG, type ChatMessage } from '../../protocol/index.ts'
import type { LanguageModel } from '../../resource/index.ts'
import type { Random } from '../../utils/random.ts'
import { withoutReasoning } from '../answers/reasoning.ts'
import { parseGrade } from '../answers/verdict.ts'
import { REVIEW_TAG } from '../judging/abilities.ts'
import { gradeMessages } from '../judging/judges.ts'
import { readReview, reviewPrompt } from '../judging/reviewer.ts'
import type { GraphStore } from './graph-store.ts'

/** Best first; A, B, C count 3, 2, 1 as in the paper. */
const GRADES = ['A', 'B', 'C'] as const
const GRADE_TOKENS = 256
/** A reviewer knows right and wrong, no grade between. */
const REVIEWED = { yes: 'A', no: 'C', unclear: undefined } as const

const isBare = ({ card }: LanguageModel): boolean => card.tags.includes(BARE_TAG)
const isTrainedReviewer = ({ card }: LanguageModel): boolean => card.tags.includes(REVIEW_TAG)

export interface MutualEvaluation {
  /** Grades that could be read and were booked, replies that were no grade, and calls that failed. */
  readonly grades: number
  readonly unreadable: number
  readonly failed: number
}

/**
 * Mutual evaluation (AI-ModelNet routing paper): every model answers every task, every other model grades the answer.
 * Models trained to review answer nothing and grade in their own form. A reply that is no grade is left out: neither
 * the worst grade nor the best. Task by task; within a task all at once.
 */
export async function evaluateMutually(
  models: readonly LanguageModel[],
  tasks: readonly string[],
  store: GraphStore,
  options: { readonly random: Random; readonly signal?: AbortSignal; readonly maxTokens?: number },
): Promise<MutualEvaluation> {
  const { random, signal, maxTokens = 512 } = options
  const counts = { grades: 0, unreadable: 0, failed: 0 }
  const ask = async (
    model: LanguageModel,
    messages: readonly ChatMessage[],
    tokens: number,
  ): Promise<string | undefined> => {
    try {
      let text = ''
      const request = { messages, temperature: 0, maxTokens: tokens }
      for await (const part of model.generate(request, signal ? { signal } : {}))
        if (part.type === 'text-delta') text += part.text
      return withoutReasoning(text)
    } catch {
      signal?.throwIfAborted()
      counts.failed++
      return undefined // one model that fails does not end the evaluation of the others
    }
  }
  for (const task of tasks) {
    signal?.throwIfAborted()
    const question: readonly ChatMessage[] = [{ role: 'user', content: task }]
    const answers = await Promise.all(
      models.map(model => (isTrainedReviewer(model) ? undefined : ask(model, question, maxTokens))),
    )
    const gradings = models.flatMap((grader, j) =>
      models.flatMap((graded, i) => {
        const answer = answers[i]
        // who knows bare questions only writes noise when it is asked for a grade
        const canGrade = isTrainedReviewer(grader) || !isBare(grader)
        return i === j || answer === undefined || !canGrade ? [] : [{ grader, graded, answer }]
      }),
    )
    await Promise.all(
      gradings.map(async ({ grader, graded, answer }) => {
        const trained = isTrainedReviewer(grader)
        const messages = trained
          ? [{ role: 'user' as const, content: reviewPrompt(task, answer) }]
          : gradeMessages(task, answer, GRADES, random)
        const reply = await ask(grader, messages, GRADE_TOKENS)
        if (reply === undefined) return
        const grade = trained ? REVIEWED[readReview(reply).verdict ?? 'unclear'] : parseGrade(reply, GRADES)
        if (grade === undefined) counts.unreadable++
        else {
          counts.grades++
          store.observe(grader.card.id, graded.card.id, GRADES.length - GRADES.indexOf(grade))
        }
      }),
    )
  }
  return counts
}
