import type { Analysis } from '../../service/index.ts'
import { withoutReasoning } from './reasoning.ts'
import { parseVerdict } from './verdict.ts'

export type AnswerFormat = Analysis['format']

/**
 * What makes two answers the same answer: a normalised number, an option letter, yes or no, canonical JSON, or plain
 * words. Undefined means that nothing of the expected form can be found: an abstention, never a vote.
 */
export function keyOf(text: string, format: AnswerFormat): string | undefined {
  const final = finalAnswer(text).normalize('NFKC')
  if (final === '') return undefined
  return READERS[format](final)
}

/**
 * The answer without hidden reasoning and without worked steps before it: `(8+7=15, 5+2+1=8) 85` is `85`. A text that
 * only begins with a parenthesis, or is one, stays whole.
 */
export function finalAnswer(text: string): string {
  const visible = withoutReasoning(text)
  if (!visible.startsWith('(')) return visible
  const end = closing(visible)
  const rest = end < 0 ? '' : visible.slice(end + 1).trim()
  return rest === '' || /^[.:]/u.test(rest) ? visible : rest
}

/** Index of the parenthesis that closes the first character; -1 when none does. */
function closing(text: string): number {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '(') depth++
    else if (text[index] === ')' && --depth === 0) return index
  }
  return -1
}

const READERS: Readonly<Record<AnswerFormat, (text: string) => string | undefined>> = {
  number: readNumber,
  choice: readChoice,
  boolean: text => parseVerdict(text),
  json: readJson,
  code: text => fenced(text).replace(/\s+/gu, ' ').trim() || undefined,
  text: readText,
}

/** Where writers announce the answer; the last announcement counts. */
const ANNOUNCED =
  /(?:\\boxed\s*\{|####|\b(?:final\s+)?(?:answer|result)\b\s*(?:\*\*)?\s*(?:is|are|=|:|would be)+\s*|\b(?:answer|respuesta|réponse|antwort|resposta|risposta)\b\s*(?:es|est|ist|é|è|:)+\s*|(?:最终)?(?:答案|结果)\s*(?:是|为|应为|:)*\s*|答えは\s*|ответ\s*:?\s*)([^\n]*)/giu

function announced(text: string): string | undefined {
  let last: string | undefined
  for (const [, tail] of text.matchAll(ANNOUNCED)) if (tail?.trim()) last = tail.trim()
  return last
}

const NUMBER = /[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s*\/\s*\d+(?![\d.,]*\d*\s*\/))?(?:e[-+]?\d+)?/giu

/** The first number after an announcement, else the only or last one of the text. */
function readNumber(text: string): string | undefined {
  const tail = announced(text)
  const inTail = tail?.match(NUMBER)
  const found = inTail?.[0] ?? text.match(NUMBER)?.at(-1)
  return found === undefined ? undefined : normalNumber(found)
}

function normalNumber(found: string): string | undefined {
  const [numerator, denominator] = found.replace(/[,\s]/gu, '').replace('−', '-').split('/').map(Number)
  const value = denominator === undefined ? numerator : (numerator ?? Number.NaN) / denominator
  if (value === undefined || !Number.isFinite(value)) return undefined
  return String(Number(value.toPrecision(12)) + 0)
}

/** Letters of options; a model that names several without an announcement abstains. */
function readChoice(text: string): string | undefined {
  const whole = /^[\s"'*([{]*([A-Ja-j])[\s"'*)\]}.:]*$/u.exec(text)
  if (whole?.[1]) return whole[1].toUpperCase()
  const tail = announced(text)
  const inTail = tail === undefined ? undefined : /^[\s"'*([{$\\a-z]*?\(?\b([A-J])\b/u.exec(tail)?.[1]
  if (inTail) return inTail
  const start = /^[\s"'*([{]*([A-J])[)\].:](?:\s|$|\*)/u.exec(text)?.[1]
  if (start) return start
  const letters = new Set(
    [...text.matchAll(/(?:\b(?:option|choice|选项?)\s*|[("'*])\(?([A-J])\b[)"'*.:]?|(?:选|選)\s*([A-J])/gu)].map(
      match => match[1] ?? match[2],
    ),
  )
  if (letters.size !== 1) return undefined
  return [...letters][0]
}

function readJson(text: string): string | undefined {
  const source = fenced(text)
  const start = source.search(/[[{]/u)
  const end = Math.max(source.lastIndexOf('}'), source.lastIndexOf(']'))
  if (start < 0 || end < start) return undefined
  try {
    return canonical(JSON.parse(source.slice(start, end + 1)), 0)
  } catch {
    return undefined // not JSON is an abstention
  }
}

/** JSON with sorted keys. */
function canonical(value: unknown, depth: number): string {
  if (depth > 32) throw new RangeError('too deep')
  if (Array.isArray(value)) return `[${value.map(item => canonical(item, depth + 1)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, depth + 1)}`).join(',')}}`
}

/** The inside of the last code block, or the whole. Every second piece between fences is a block; the last needs its end. */
function fenced(text: string): string {
  const blocks = text.split('```').filter((_, index, all) => index % 2 === 1 && index + 1 < all.length)
  const last = blocks.findLast(block => block.includes('\n'))
  return last === undefined ? text : last.slice(last.indexOf('\n') + 1)
}

/** Longer texts are compared whole; a short announced answer is compared alone. */
const MAX_SHORT = 80

function readText(text: string): string | undefined {
  const tail = announced(text)
  const chosen = tail !== undefined && tail.length <= MAX_SHORT ? tail : text
  const words = chosen
    .toLowerCase()
    .replace(/[^\p{L}\p{N}%.+\-/ ]+/gu, ' ')
    .replace(/\.(?=\s|$)/gu, ' ')
    .replace(/\b(?:the|a|an)\b/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()
  return words === '' ? undefined : words
}
