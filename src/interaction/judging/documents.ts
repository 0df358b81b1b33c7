import type { ChatMessage } from '../../protocol/index.ts'

/** Characters of one piece of a document that a judge reads at once. */
const PIECE_CHARACTERS = 6000

/**
 * The documents a task gives: `<document>…</document>` blocks in any message; without those, system messages, and what
 * stands before the last paragraph of the question.
 */
export function documentsIn(messages: readonly ChatMessage[]): readonly string[] {
  const marked = messages.flatMap(({ content }) => blocksOf(content))
  const found = marked.length > 0 ? marked : unmarked(messages)
  return found.filter(text => text !== '').flatMap(pieces)
}

/** What stands in `<document …>…</document>`. Goes through the text once, also where tags are never closed. */
function blocksOf(text: string): readonly string[] {
  const open = /<document\b/giu
  const close = /<\/document>/giu
  const blocks: string[] = []
  while (open.test(text)) {
    const start = text.indexOf('>', open.lastIndex) + 1
    close.lastIndex = start
    const end = start > 0 ? close.exec(text)?.index : undefined
    if (end === undefined) break
    blocks.push(text.slice(start, end).trim())
    open.lastIndex = close.lastIndex
  }
  return blocks
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

/**
 * The first so many sentences of an answer; a list item is a sentence. By lines, and no more than asked for: segmenting
 * a long text takes the square of its length.
 */
export function sentencesOf(text: string, most: number): readonly string[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' })
  const sentences: string[] = []
  for (const line of text.split('\n').filter(says))
    for (const { segment } of segmenter.segment(line)) {
      const sentence = segment.replace(/^\s*(?:[-*•]|\d+[.)])\s+/u, '').trim()
      if (says(sentence)) sentences.push(sentence)
      if (sentences.length === most) return sentences
    }
  return sentences
}

const says = (text: string): boolean => /\p{L}|\p{N}/u.test(text)
