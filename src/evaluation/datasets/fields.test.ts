import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMPUTED_FIELDS, type ComputedField, fieldQuestions, readFieldQuestion } from './fields.ts'
import { COUNTRIES } from './forms/countries.ts'
import { isHeldOut } from './sample.ts'

const root = join(import.meta.dirname, '../../..')
const lines = (file: string): readonly string[] => readFileSync(join(root, file), 'utf8').trim().split('\n')

interface Row {
  readonly question: string
  readonly answer: string
  readonly tag: string
  readonly kind: string
}
const MODELS = [
  'arithmetic-a',
  'arithmetic-b',
  'calendar',
  'elements',
  'generalist',
  'geography',
  'logic',
  'units',
  'words',
]
const ROWS: readonly Row[] = MODELS.flatMap(name =>
  lines(`models/${name}/heldout.jsonl`).map(line => JSON.parse(line) as Row),
)

/** A kind that is made elsewhere. */
const isLeftOut = ({ kind }: Row): boolean => kind === 'simple math'

describe('questions made here and the held-out files of the shipped models', () => {
  it.each(COMPUTED_FIELDS)('agree in %s on answers and on what is held out', field => {
    const rows = ROWS.filter(row => row.tag === `skill:${field}` && !isLeftOut(row))
    const unread: string[] = []
    const others: string[] = []
    for (const { question, answer, kind } of rows) {
      const readings = readFieldQuestion(field, question).filter(draft => draft.kind === kind)
      if (readings.length === 0) unread.push(question)
      else if (!readings.some(draft => draft.answer === answer && isHeldOut(draft.key))) others.push(question)
    }
    expect(rows.length).toBeGreaterThan(500)
    expect(others).toEqual([])
    expect(unread).toEqual([])
  })

  it.each(COMPUTED_FIELDS)('ask for every kind that the models of %s are tested on', field => {
    const tested = new Set(ROWS.filter(row => row.tag === `skill:${field}`).map(({ kind }) => kind))
    const made = new Set(fieldQuestions(field, 400, 5).map(({ kind }) => kind))
    expect([...tested].filter(kind => kind !== 'simple math' && !made.has(kind))).toEqual([])
  })

  it.each<ComputedField>(['chemistry', 'geography', 'logic'])('made in %s read as what they were made from', field => {
    for (const { id, question, answer, kind } of fieldQuestions(field, 300, 9)) {
      const readings = readFieldQuestion(field, question).filter(draft => draft.kind === kind)
      expect(readings).toContainEqual(expect.objectContaining({ answer, key: id }))
    }
  })

  it('know the countries that the training knows', () => {
    const taught = lines('training/tables/countries.txt').filter(line => !line.startsWith('#'))
    const known = COUNTRIES.map(({ country, capital, continent, currency, language, largestCity }) =>
      [country, capital, continent, currency, language, largestCity].map(cell => cell ?? '-').join('|'),
    )
    expect(known).toEqual(taught)
  })
})
