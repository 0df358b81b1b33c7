import { finalAnswer } from '../../interaction/index.ts'

const REFUSAL =
  /^(?:i (?:do not|don'?t|cannot|can'?t|could not) (?:know|say|tell|answer|determine)|i'?m not sure|unknown|no idea|not enough information|n\/a|\?+|不知道|无法(?:确定|回答))/iu
/** What announces an answer in running text, English and Chinese; the last one in a text counts. */
const CUE =
  /(?:####|\b(?:final answer|answer|correct option|correct choice|result)\b[^.:=\n]{0,40}?(?:\b(?:is|are|was|would be|should be|equals)\b\s*[:=]?|[:=])|(?:答案|故选|应选|因此选?|选(?=\s*[A-H]))\s*(?:应该是|应为|是|为)?\s*[:：=]?)\s*/giu

/**
 * The part of an answer that states it, as the interaction layer reads it for votes: hidden reasoning and worked steps in
 * one leading pair of round parentheses are cut off, as the shipped specialists write `(steps) answer`.
 */
export const withoutSteps = (text: string): string => finalAnswer(text).trim()

/** True for texts that give no answer at all: empty ones and plain refusals. */
export const isRefusal = (text: string): boolean => text.trim() === '' || REFUSAL.test(text.trim())

/** Content of the last `\boxed{…}` with balanced braces, the way MATH marks an answer. */
export function boxed(text: string): string | undefined {
  const start = text.lastIndexOf('\\boxed{')
  if (start < 0) return undefined
  let depth = 0
  for (let index = start + '\\boxed'.length; index < text.length; index++) {
    if (text[index] === '{') depth++
    else if (text[index] === '}' && --depth === 0) return text.slice(start + '\\boxed{'.length, index).trim()
  }
  return undefined
}

/** The text after the last announcement of an answer (`the answer is`, `####`, `答案是`), or undefined without one. */
export function announced(text: string): string | undefined {
  let end: number | undefined
  for (const match of text.matchAll(CUE))
    if (match.index + match[0].length < text.length) end = match.index + match[0].length
  const rest = end === undefined ? '' : text.slice(end).trim()
  return rest === '' ? undefined : rest
}
