import { keyOf } from '../answers/key.ts'
import { parseVerdict } from '../answers/verdict.ts'
import { canReview } from '../judging/abilities.ts'
import { documentsIn, sentencesOf } from '../judging/documents.ts'
import { askJudge, askOpinion, askVerdict } from '../judging/judges.ts'
import { isReviewer } from '../judging/reviewer.ts'
import { together } from '../judging/together.ts'
import { oneCall, parallel, serial, times } from '../pathway/bounds.ts'
import { partOf } from '../pathway/context.ts'
import { COUNT, NAME, SHARE } from '../pathway/parameters.ts'
import type { PathwayContext } from '../pathway/path.ts'
import type { Arguments } from '../pathway/term.ts'
import type { Condition, Verdict } from '../pathway/vocabulary.ts'
import { formatOf, KEYED } from '../rules/ballots.ts'

/** Sentences of an answer and pieces of documents that are compared, each with each. */
const MAX_SENTENCES = 16
const MAX_PIECES = 4

const NOTHING: Verdict = { accepted: false, why: 'there is no answer' }

const judges = ({ by = '*', n = 1 }: Arguments): { reference: string; count: number } => ({
  reference: String(by),
  count: Math.max(1, Math.min(16, Number(n))),
})

/** Unanimous consent of other models; abstentions neither approve nor object, and all abstaining approves nothing. */
export const approved: Condition = {
  name: 'approved',
  description: '`n` other models (`by`) approve of the answer and none objects',
  parameters: { n: COUNT, by: NAME },
  bound(given, args) {
    const { reference, count } = judges(args)
    return parallel(Array.from({ length: count }, () => oneCall(reference, given)))
  },
  async *check(board, context, args) {
    const [answer] = board.answers
    if (!answer) return NOTHING
    const { reference, count } = judges(args)
    const wanted = count === 1 ? { reference, avoid: [answer.by] } : { reference, ranks: count }
    const verdicts = yield* together(
      Array.from(
        { length: count },
        (_, rank) => (part: PathwayContext) =>
          askVerdict(count === 1 ? wanted : { ...wanted, rank }, answer, board, part),
      ),
      board,
      context,
      done => done.some(judgement => judgement?.verdict === 'no'),
    )
    const yes = verdicts.filter(judgement => judgement?.verdict === 'yes').length
    const no = verdicts.filter(judgement => judgement?.verdict === 'no').length
    return { accepted: yes > 0 && no === 0, why: `${yes} approve, ${no} object` }
  },
}

/** Abstention by cooperation (B12): others give feedback, and one of them decides on all of it. */
export const cooperate: Condition = {
  name: 'cooperate',
  description: 'other models give feedback on the answer, one decides whether it holds',
  parameters: { n: COUNT, by: NAME },
  bound(given, args) {
    const { reference, count } = judges({ n: 3, ...args })
    return serial([parallel(Array.from({ length: count }, () => oneCall(reference, given))), oneCall(reference, given)])
  },
  async *check(board, context, args) {
    const [answer] = board.answers
    if (!answer) return NOTHING
    const { reference, count } = judges({ n: 3, ...args })
    const quote = { from: 'the answer', text: answer.text }
    const feedback = yield* together(
      Array.from(
        { length: count },
        (_, rank) => (part: PathwayContext) =>
          askOpinion(
            { reference, rank, ranks: count },
            'Say in two sentences what you know about this and whether the quoted answer is right.',
            answer,
            board,
            part,
          ),
      ),
      board,
      context,
    )
    const said = feedback.flatMap((each, index) =>
      each?.verdict ? [{ from: `feedback ${index + 1}`, text: each.verdict }] : [],
    )
    const chair = { reference, avoid: [answer.by] }
    const part = partOf(context, 'chair')
    const decision = isReviewer({ ...chair, able: canReview(board.analysis) }, board, part)
      ? yield* askVerdict(chair, answer, board, part)
      : yield* askJudge(
          chair,
          'Considering the feedback, is the quoted answer right? Reply only true or false.',
          [quote, ...said],
          parseVerdict,
          board,
          part,
        )
    return {
      accepted: decision.verdict === 'yes',
      why: `${said.length} gave feedback, the chair says ${decision.verdict ?? 'nothing clear'}`,
    }
  },
}

/** Abstention by competition (B12): another model argues for another answer; an answer that flips does not hold. */
export const compete: Condition = {
  name: 'compete',
  description: 'another model argues for another answer; the first model must not be talked out of its own',
  parameters: { by: NAME, ...KEYED },
  bound: (given, args) => times(2, oneCall(judges(args).reference, given)),
  async *check(board, context, args) {
    const [answer] = board.answers
    if (!answer) return NOTHING
    const { reference } = judges(args)
    const rival = yield* askJudge(
      { reference, avoid: [answer.by] },
      'Write one paragraph that argues for an answer to the question other than the quoted one.',
      [{ from: 'the answer', text: answer.text }],
      text => text,
      board,
      partOf(context, 'rival'),
    )
    const again = yield* askJudge(
      { reference: answer.by },
      'Answer the question in the form it asks for. The quoted paragraph may be right or wrong.',
      [{ from: 'somebody', text: rival.text }],
      text => text,
      board,
      partOf(context, 'again'),
    )
    const format = formatOf(board, args)
    const before = keyOf(answer.text, format)
    const after = keyOf(again.text, format)
    return {
      accepted: before !== undefined && before === after,
      why: before === after ? 'the answer was kept' : 'the answer was changed',
    }
  },
}

/** Every sentence of the answer is supported by a document in the task (MiniCheck's question, B13). */
export const grounded: Condition = {
  name: 'grounded',
  description: 'each sentence of the answer follows from the documents in the question (at least the share `share`)',
  parameters: { by: NAME, share: SHARE },
  bound: (given, args) => ({ ...times(MAX_SENTENCES * MAX_PIECES, oneCall(judges(args).reference, given)), depth: 1 }),
  async *check(board, context, args) {
    const [answer] = board.answers
    if (!answer) return NOTHING
    const documents = documentsIn(board.task.messages)
    if (documents.length === 0) return { accepted: false, why: 'there are no documents to check against' }
    const found = sentencesOf(answer.text, MAX_SENTENCES + 1)
    const sentences = found.slice(0, MAX_SENTENCES)
    const { reference } = judges(args)
    const pairs = sentences.flatMap((sentence, index) =>
      documents.slice(0, MAX_PIECES).map(document => ({ sentence, index, document })),
    )
    const checked = yield* together(
      pairs.map(
        ({ sentence, document }) =>
          (part: PathwayContext) =>
            askJudge(
              { reference, avoid: [answer.by] },
              'Does the claim follow from the document alone? Reply only yes or no.',
              [
                { from: 'the document', text: document },
                { from: 'the claim', text: sentence },
              ],
              parseVerdict,
              board,
              part,
            ),
      ),
      board,
      context,
    )
    const supported = sentences.map((_, index) =>
      pairs.some((pair, at) => pair.index === index && checked[at]?.verdict === 'yes'),
    )
    const unsupported = sentences.filter((_, index) => !supported[index])
    // a sentence nobody looked at is not supported
    const share = supported.filter(Boolean).length / Math.max(1, found.length)
    if (unsupported.length > 0)
      yield {
        type: 'note',
        stage: context.scope,
        message: `${unsupported.length} sentences are not supported`,
        facts: { unsupported },
      }
    return {
      accepted: share >= Number(args['share'] ?? 1),
      why:
        found.length > MAX_SENTENCES
          ? `it has more than the ${MAX_SENTENCES} sentences that are checked`
          : `${(100 * share).toFixed(0)} % of ${sentences.length} sentences are supported`,
    }
  },
}
