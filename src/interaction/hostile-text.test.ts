import { expect, it } from 'vitest'
import type { AnswerFormat } from './answers/key.ts'
import { keyOf } from './answers/key.ts'
import { withoutReasoning } from './answers/reasoning.ts'
import { parseGrade, parseVerdict } from './answers/verdict.ts'
import { sanitizePeerText } from './fence.ts'
import { documentsIn, sentencesOf } from './judging/documents.ts'
import { parsePlan } from './planning/plan.ts'
import { redact } from './redaction.ts'

/** Texts that make careless patterns take time that grows with the square of the length. */
const HOSTILE: Readonly<Record<string, string>> = {
  words: 'padding '.repeat(10_000),
  angles: '<'.repeat(50_000),
  brackets: '['.repeat(50_000),
  quotes: '[quote '.repeat(10_000),
  spaces: `${' '.repeat(50_000)}system`,
  parentheses: '('.repeat(50_000),
  digits: '1'.repeat(50_000),
  thousands: '1,111,'.repeat(10_000),
  negations: 'not '.repeat(10_000),
  nested: '<|'.repeat(20_000) + '|>'.repeat(20_000),
  announcements: 'answer is '.repeat(10_000),
  addresses: `${'a.'.repeat(20_000)}@`,
  dashes: '1-'.repeat(20_000),
  groups: `DE12 ${'ABCD '.repeat(10_000)}`,
  tools: '<tool '.repeat(10_000),
  'opened tags': `<${' '.repeat(50_000)}`,
  fences: '```'.repeat(20_000),
  'fenced lines': '```\n'.repeat(15_000),
  gap: `a${' '.repeat(50_000)}a`,
  'numbered gap': `1.${' '.repeat(50_000)}!`,
  documents: '<document'.repeat(20_000),
  'opened documents': '<document>'.repeat(10_000),
  sentence: 'word,'.repeat(10_000),
}

it.each(Object.keys(HOSTILE))('reads hostile %s in time that does not explode', kind => {
  const text = HOSTILE[kind] ?? ''
  const started = performance.now()
  sanitizePeerText(text)
  parseVerdict(text)
  parseGrade(text, ['A', 'B', 'C'])
  for (const format of ['number', 'choice', 'boolean', 'json', 'code', 'text'] satisfies AnswerFormat[])
    keyOf(text, format)
  withoutReasoning(text)
  redact(text, 'default')
  expect(() => parsePlan(text)).toThrow('the plan cannot be used')
  documentsIn([{ role: 'user', content: text }])
  sentencesOf(text, 17)
  expect(performance.now() - started).toBeLessThan(3000) // quadratic patterns took 14 to 28 s here
})
