import type { Analysis } from '../task.ts'

/** First match wins. */
const FORMATS: readonly (readonly [RegExp, Analysis['format']])[] = [
  [/\b(as|in|return|valid|output) json\b|\bjson (object|array|schema)\b/i, 'json'],
  [
    /\b(write|implement|fix|complete|create)\b.{0,40}\b(code|function|program|script|class|query|sql|regex)\b|```|\bdef \w+\(|用\w+写/i,
    'code',
  ],
  [/(^|\s)\(?[A-D][).:].+(^|\s)\(?[B-E][).:]/s, 'choice'],
  [
    /(^|[.:!?]\s+)(\W*(hi|hey|hello)\W+)?(is|are|was|were|does|do|did|can|could|has|have|will|would|should)\b[^.?]*\??\s*$|\byes or no\b|\btrue or false\b|吗[？?]?$|对不对|是不是/i,
    'boolean',
  ],
  [
    /\bhow (many|much|long|old|far|often)\b|\bnumber of\b|\b(sum|product|difference|remainder|total)\b|\b(plus|minus|times|divided by)\b|\d\s*[-+*/×÷x=%]\s*(\d|\?)|\b(calculate|compute|convert|add|subtract|multiply|divide)\b|多少|几/i,
    'number',
  ],
]

/** The shape an answer should have, by the words of the question. */
export function answerFormat(text: string): Analysis['format'] {
  const trimmed = (text.length > 4000 ? `${text.slice(0, 2000)} ${text.slice(-2000)}` : text).trim()
  return FORMATS.find(([pattern]) => pattern.test(trimmed))?.[1] ?? 'text'
}
