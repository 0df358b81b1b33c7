import type { ChatMessage } from '../../protocol/index.ts'

/** Characters of one piece of a document that a judge reads at once. */
const PIECE_CHARACTERS = 6000

/**
 * The documents a task gives: `<document>…</document>` blocks in any message; without those, system messages, and what
 * stands before the last paragraph of the question.
 */
export function documentsIn(messages: readonly ChatMessage[]): readonly string[] {
  const marked = messages.flatMap(({ content }) =>
    [...content.matchAll(/<document\b[^>]*>([\s\S]*?)<\/document>/giu)].map(([, text]) => text?.trim() ?? ''),
  )
  const found = marked.length > 0 ? marked : unmarked(messages)
  return found.filter(text => text !== '').flatMap(pieces)
}

function unmarked(messages: readonly ChatMessage[]): readonly string[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? ''
  const paragraphs = question.split(/\n\s*\n/u)
  return [...system, paragraphs.slice(0, -1).join('\n\n')]
}

const pieces = (text: string): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / PIECE_CHARACTERS) }, (_, index) =>
    text.slice(index * PIECE_CHARACTERS, (index + 1) * PIECE_CHARACTERS),
  )

/** Sentences of an answer; a list item is a sentence. */
export const sentencesOf = (text: string): readonly string[] =>
  [...new Intl.Segmenter(undefined, { granularity: 'sentence' }).segment(text)]
    .flatMap(({ segment }) => segment.split('\n'))
    .map(sentence => sentence.replace(/^\s*(?:[-*•]|\d+[.)])\s+/u, '').trim())
    .filter(sentence => /\p{L}|\p{N}/u.test(sentence))
