import { ModelNetError } from '../../utils/errors.ts'

export interface Token {
  readonly kind: 'word' | 'string' | 'mark' | 'end'
  /** Of a string, its value. */
  readonly text: string
  /** Index of its first character. */
  readonly at: number
}

/** Longest text form that is read. */
const MAX_PATHWAY_CHARACTERS = 16_384

/** A word can stand without quotes: a reference, an argument name, a number, true or false. */
export const WORD: RegExp = /(?:[\p{L}\p{N}@_]|-(?=\d))[\p{L}\p{N}@_.:/#-]*/uy

const STRING = /"(?:[^"\\]|\\.)*"/suy
const SPACE = /\s*/uy
const MARKS = new Set('>|!?+~(),={}*')

/** Splits the text form of a pathway. Throws INVALID_PATHWAY with the position. */
export function toTokens(text: string): readonly Token[] {
  if (text.length > MAX_PATHWAY_CHARACTERS)
    throw new ModelNetError('INVALID_PATHWAY', `a pathway has at most ${MAX_PATHWAY_CHARACTERS} characters`)
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += match(SPACE, text, at).length
    if (at >= text.length) break
    const start = at
    const word = match(WORD, text, at)
    const string = word ? '' : match(STRING, text, at)
    const mark = text[at] ?? ''
    if (word) tokens.push({ kind: 'word', text: word, at: start })
    else if (string) tokens.push({ kind: 'string', text: unquote(string, text, start), at: start })
    else if (MARKS.has(mark)) tokens.push({ kind: 'mark', text: mark, at: start })
    else throw unreadable(text, start, mark === '"' ? 'the closing quote is missing' : `unexpected ${show(mark)}`)
    at += (word || string || mark).length
  }
  tokens.push({ kind: 'end', text: '', at: text.length })
  return tokens
}

/** INVALID_PATHWAY that points at a place of the text. */
export function unreadable(text: string, at: number, problem: string): ModelNetError {
  const { words, position } = placeIn(text, at)
  return new ModelNetError('INVALID_PATHWAY', `${problem} at ${words}`, { details: { position } })
}

/** A place of the text in words. */
export function placeIn(text: string, at: number): { readonly words: string; readonly position: number } {
  const before = text.slice(Math.max(0, at - 20), at)
  const after = text.slice(at, at + 20)
  return { words: `character ${at + 1}: ${before}⟦here⟧${after}`, position: at }
}

export const show = (text: string): string => (text === '' ? 'the end' : JSON.stringify(text))

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

function unquote(quoted: string, text: string, at: number): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    throw unreadable(text, at, 'a quoted name is written as in JSON')
  }
}
