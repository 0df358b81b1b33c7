import { sanitizePeerText } from '../fence.ts'
import { finalAnswer } from './key.ts'

/** Longest answer of a subtask that is put into another question. */
const MAX_CHARACTERS = 200

/** The answer of a subtask as it may stand in another question: final answer only, one line, nothing that acts. */
export const sanitizeAnswer = (text: string): string =>
  sanitizePeerText(finalAnswer(text), MAX_CHARACTERS).replace(/\s+/gu, ' ').trim().replace(/\.$/u, '')

export { finalAnswer }
