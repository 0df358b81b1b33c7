import type { Ability } from '../../service/index.ts'
import type { AnswerFormat } from '../answers/key.ts'
import { keyOf } from '../answers/key.ts'
import type { Parameters } from '../pathway/parameters.ts'
import type { Answer, Board, PathwayContext } from '../pathway/path.ts'
import type { Arguments } from '../pathway/term.ts'
import type { Ballot } from './tally.ts'
import { capByOwner, logOddsWeight } from './tally.ts'

/** Possible answers by format, for log-odds: few for a choice, open questions have many ways to be wrong. */
const OPTIONS: Readonly<Record<AnswerFormat, number>> = {
  boolean: 2,
  choice: 4,
  number: 10,
  json: 10,
  code: 10,
  text: 10,
}

/** The argument of everything that compares answers: the form they are compared in. */
export const KEYED: Parameters = { key: { kind: 'choice', of: Object.keys(OPTIONS) } }

/** The form answers are compared in: that of the argument `key`, else that of the task. */
export function formatOf(board: Board, args: Arguments): AnswerFormat {
  const { key } = args
  return typeof key === 'string' && Object.hasOwn(OPTIONS, key) ? (key as AnswerFormat) : board.analysis.format
}

/** How many answers are possible in the form answers are compared in. */
export const optionsOf = (board: Board, args: Arguments): number => OPTIONS[formatOf(board, args)]

/** Key of an answer; one that was cut off abstains, as its end may be missing. */
export const ballotKey = (answer: Answer, format: AnswerFormat): string | undefined =>
  answer.finish === 'length' ? undefined : keyOf(answer.text, format)

/** One answer, one vote. */
export const equalBallots = (board: Board, args: Arguments): readonly Ballot[] => {
  const format = formatOf(board, args)
  return board.answers.map(answer => ({ answer, key: ballotKey(answer, format), weight: 1 }))
}

/** Votes weighed by what the capability map says of their makers, or by the weight an answer carries. */
export function weightedBallots(board: Board, context: PathwayContext, args: Arguments): readonly Ballot[] {
  const format = formatOf(board, args)
  const weights = board.answers.map(
    answer => answer.weight ?? logOddsWeight(abilityOf(answer, board, context).mean, OPTIONS[format]),
  )
  const capped = capByOwner(
    weights,
    board.answers.map(({ by }) => by.slice(by.lastIndexOf('@') + 1)),
  )
  return board.answers.map((answer, index) => ({ answer, key: ballotKey(answer, format), weight: capped[index] ?? 0 }))
}

/** What is believed of the maker of an answer at this task. */
const abilityOf = (answer: Answer, board: Board, context: PathwayContext): Ability =>
  context.abilities.ability(answer.by, topTag(board))

/** The skill the task most probably needs. */
const topTag = ({ analysis }: Board): string =>
  (analysis.tags.find(({ tag }) => tag.startsWith('skill:')) ?? analysis.tags[0])?.tag ?? 'skill:general'

/** The answer of the maker most is expected of; ties by the order of the board. */
export const bestMade = (board: Board, context: PathwayContext): Answer | undefined =>
  board.answers
    .map(answer => ({ answer, mean: abilityOf(answer, board, context).mean }))
    .reduce<{ answer: Answer; mean: number } | undefined>(
      (best, each) => (best && best.mean >= each.mean ? best : each),
      undefined,
    )?.answer

/** Tokens of several answers together. */
export const totalUsage = (answers: readonly Answer[]): Answer['usage'] =>
  answers.reduce(
    (sum, { usage }) => ({
      promptTokens: sum.promptTokens + usage.promptTokens,
      completionTokens: sum.completionTokens + usage.completionTokens,
    }),
    { promptTokens: 0, completionTokens: 0 },
  )
