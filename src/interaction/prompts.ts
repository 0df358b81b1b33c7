import type { ChatMessage } from '../protocol/index.ts'
import type { Random } from '../utils/random.ts'
import { fence, QUOTE_RULE } from './fence.ts'
import type { Answer, Board } from './pathway/path.ts'
import type { Role } from './pathway/term.ts'

/** What a model is told besides the question, by role (Serial/parallel inference 7.2; the question always goes along). */
const ORDERS: Readonly<Record<Exclude<Role, 'answer' | 'auto'>, string>> = {
  revise:
    'Check the quoted answer strictly, step by step. Correct what is wrong and add what is missing. Then give your own complete answer to the question, in the form the question asks for.',
  verify:
    'As an experienced verifier, judge the quoted work and condense it: give only the final answer to the question, in the form the question asks for.',
  synthesize:
    'Judge the quoted answers critically: some may be biased or wrong. Then write one answer to the question that keeps what is right in them, in the form the question asks for. Do not mention the quotes.',
  criticize:
    'List the concrete errors of the quoted answer, each with the correction, in a few short lines. Do not write a new answer. If there are none, say so.',
  doubt:
    'As a sceptic, say what about the quoted answer is unproven, misread or could be otherwise, in a few short lines. Do not write a new answer.',
  debate:
    'Others answered the same question as quoted. Use their answers as additional information, decide for yourself who is right, and give your answer in the form the question asks for.',
}

/** `auto` by what is on the board: nothing, one answer, several. */
export function roleFor(role: Role, answers: number): Exclude<Role, 'auto'> {
  if (answers === 0) return 'answer'
  if (role !== 'auto') return role
  return answers === 1 ? 'revise' : 'synthesize'
}

/** The messages of a call in a role: the conversation, with the answers so far fenced below the last question. */
export function toMessages(board: Board, role: Exclude<Role, 'auto'>, random: Random): readonly ChatMessage[] {
  if (role === 'answer') return board.task.messages
  return withAppendix(board.task.messages, `${QUOTE_RULE}\n\n${quoteAnswers(board.answers, random)}\n\n${ORDERS[role]}`)
}

/** Answers fenced one after another, without saying which model gave which (position and name sway judges). */
const quoteAnswers = (answers: readonly Answer[], random: Random, maxCharacters?: number): string =>
  answers
    .map((answer, index) =>
      fence(answer.text, answers.length === 1 ? 'another model' : `model ${index + 1}`, random, maxCharacters),
    )
    .join('\n\n')

/** The conversation with a text below its last question. */
function withAppendix(messages: readonly ChatMessage[], appendix: string): readonly ChatMessage[] {
  const last = messages.findLastIndex(message => message.role === 'user')
  const asked = messages[last]
  if (!asked) return [...messages, { role: 'user', content: appendix }]
  return messages.with(last, { role: 'user', content: `${asked.content}\n\n${appendix}` })
}

/** The last thing the user said. */
export const questionOf = (messages: readonly ChatMessage[]): string =>
  messages.findLast(message => message.role === 'user')?.content ?? messages.at(-1)?.content ?? ''
