import { describe, expect, it } from 'vitest'
import type { GraderName } from './graders.ts'
import { graderOf, guessGrader } from './graders.ts'

type Row = readonly [answer: string, expected: string, verdict: 'right' | 'wrong' | 'abstained']

const NUMBERS: readonly Row[] = [
  ['½', '0.5', 'right'],
  ['It is 2½ hours.', '150 minutes', 'right'],
  ['forty-two', '42', 'right'],
  ['Ninety nine apples', '99', 'right'],
  ['twenty one', '20', 'wrong'],
  ['85', '85', 'right'],
  ['(58+27: 8+7=15, 5+2+1=8) 85', '85', 'right'],
  ['(58+27: 8+7=15, 5+2+1=8) 86', '85', 'wrong'],
  ['(3*(2+1): 3) 9', '9', 'right'],
  ['The answer is 85.', '85', 'right'],
  ['58 + 27 = 85', '85', 'right'],
  ['The answer is 58 + 27 = 85', '85', 'right'],
  ['The answer is 85, because 58 + 27 is 85 and not 86.', '85', 'right'],
  ['First 58, then 27, so in total 85 apples.', '85', 'right'],
  ['about 42', '42', 'right'],
  ['It is approximately 42 km.', '42', 'right'],
  ['1,234', '1234', 'right'],
  ['1,234,567.5', '1234567.5', 'right'],
  ['1\u202f234\u202f567', '1234567', 'right'],
  ['12,34', '1234', 'wrong'],
  ['$18', '18', 'right'],
  ['$1,200.50', '1200.5', 'right'],
  ['18 dollars', '$18', 'right'],
  ['150 cents', '$1.50', 'right'],
  ['50%', '50', 'right'],
  ['50%', '0.5', 'right'],
  ['0.5', '50%', 'right'],
  ['50 percent', '50%', 'right'],
  ['5%', '50%', 'wrong'],
  ['1/2', '0.5', 'right'],
  ['0.5', '1/2', 'right'],
  ['2/4', '1/2', 'right'],
  ['1 1/2', '1.5', 'right'],
  ['1/3', '0.33', 'wrong'],
  ['\\boxed{\\frac{1}{2}}', '0.5', 'right'],
  ['So we get $\\boxed{42}$ as wanted; see page 3.', '42', 'right'],
  ['\\boxed{\\frac12}', '1/2', 'right'],
  ['\\boxed{-\\frac{3}{4}}', '-0.75', 'right'],
  ['\\boxed{12{,}345}', '12345', 'right'],
  ['\\boxed{10\\%}', '10', 'right'],
  ['\\boxed{30^\\circ C}', '30 °C', 'right'],
  ['\\boxed{5\\text{ km}}', '5000 m', 'right'],
  ['-7', '-7', 'right'],
  ['−7', '-7', 'right'],
  ['7', '-7', 'wrong'],
  ['9 - 2 = 7', '7', 'right'],
  ['3 km', '3000 m', 'right'],
  ['3 km', '3 m', 'wrong'],
  ['3 km', '3', 'right'],
  ['3 kg', '3 km', 'wrong'],
  ['2.5 hours', '150 minutes', 'right'],
  ['1 hour 30 minutes', '90 minutes', 'right'],
  ['1 hour and 30 minutes', '1.5 hours', 'right'],
  ['2 weeks and 3 days', '17 days', 'right'],
  ['12 inches', '1 foot', 'right'],
  ['77 °F', '77 °F', 'right'],
  ['77 °F', '77 °C', 'wrong'],
  ['There are 5 in total', '5', 'right'],
  ['1.5e3', '1500', 'right'],
  ['6.02 x 10^23', '6.02e23', 'right'],
  ['3 million', '3000000', 'right'],
  ['seven', '7', 'right'],
  ['She has twelve apples.', '12', 'right'],
  ['One moment: the answer is 12', '12', 'right'],
  ['#### 72', '72', 'right'],
  ['Natalia sold 48/2 = 24 clips.\n#### 72', '72', 'right'],
  ['答案是 42', '42', 'right'],
  ['答案：42。', '42', 'right'],
  ['<think>maybe 3 or 4</think>5', '5', 'right'],
  ['<think>the answer is 5', '5', 'abstained'],
  ['', '5', 'abstained'],
  ["I don't know", '5', 'abstained'],
  ['I cannot determine this from 3 facts.', '5', 'abstained'],
  ['no number here', '5', 'abstained'],
  ['.5', '0.5', 'right'],
  ['**85**', '85', 'right'],
  ['0', '-0', 'right'],
  ['10', '100', 'wrong'],
  ['1000000001', '1000000002', 'wrong'],
]

const CHOICES: readonly Row[] = [
  ['(b)', 'B', 'right'],
  ['A or B', 'A', 'abstained'],
  ['A or B', 'B', 'abstained'],
  ['B', 'B', 'right'],
  ['b', 'B', 'right'],
  ['(B)', 'B', 'right'],
  ['B.', 'B', 'right'],
  ['(B) Paris', 'B', 'right'],
  ['(the options are weighed) B', 'B', 'right'],
  ['B) Paris', 'B', 'right'],
  ['**B**', 'B', 'right'],
  ['\\boxed{B}', 'B', 'right'],
  ['$\\boxed{\\text{B}}$ or (B)', 'B', 'right'],
  ['The answer is B.', 'B', 'right'],
  ['The correct answer is (B) because A is a trap.', 'B', 'right'],
  ['The correct option is: C', 'B', 'wrong'],
  ['答案是B', 'B', 'right'],
  ['答案：B', 'B', 'right'],
  ['故选B。', 'B', 'right'],
  ['A and C are both wrong, so the answer is b', 'B', 'right'],
  ['C. A look at the table shows it.', 'C', 'right'],
  ['A look at the table shows that it must be D', 'D', 'right'],
  ['I think it is C', 'C', 'right'],
  ['A', 'A', 'right'],
  ['Either B or C', 'B', 'abstained'],
  ['none of them', 'B', 'abstained'],
  ['', 'B', 'abstained'],
  ['<think>B?</think>D', 'D', 'right'],
  ['J', 'J', 'right'],
]

const BOOLEANS: readonly Row[] = [
  ['It is not true', 'no', 'right'],
  ['That is not at all false.', 'yes', 'right'],
  ['yes', 'yes', 'right'],
  ['Yes.', 'true', 'right'],
  ['True', 'yes', 'right'],
  ['no', 'yes', 'wrong'],
  ['No, because nobody said yes.', 'no', 'right'],
  ['Yes, there is no doubt.', 'yes', 'right'],
  ['(the text says: open all day) yes', 'yes', 'right'],
  ['The answer is no.', 'no', 'right'],
  ['The statement is false.', 'no', 'right'],
  ['是', 'yes', 'right'],
  ['不是', 'no', 'right'],
  ['答案：正确', 'yes', 'right'],
  ['不正确', 'yes', 'wrong'],
  ['Perhaps', 'yes', 'abstained'],
  ['It could be yes or no', 'yes', 'abstained'],
  ['', 'no', 'abstained'],
  ['\\boxed{true}', 'yes', 'right'],
  ['**Yes**', 'yes', 'right'],
]

const TEXTS: readonly Row[] = [
  ['Paris', 'Paris', 'right'],
  ['paris.', 'Paris', 'right'],
  ['The capital of France is Paris.', 'Paris', 'right'],
  ['(France: Europe, capital Paris) Paris', 'Paris', 'right'],
  ['Answer: Paris', 'paris', 'right'],
  ['Paris or London', 'Paris', 'wrong'],
  ['Not Paris', 'Paris', 'wrong'],
  ['The Netherlands', 'Netherlands', 'right'],
  ['São Tomé', 'Sao Tome', 'wrong'],
  ['Côte d’Ivoire', "Côte d'Ivoire", 'right'],
  ['ice-cream', 'ice cream', 'right'],
  ['Ｔｏｋｙｏ', 'Tokyo', 'right'],
  ['  new   york ', 'New York', 'right'],
  ['I do not know', 'Paris', 'abstained'],
  ['', 'Paris', 'abstained'],
  ['...', 'Paris', 'abstained'],
  ['北京', '北京', 'right'],
  ['a', 'A', 'right'],
  ['an', 'a', 'wrong'],
  ['the end of the line', 'end of line', 'right'],
]

const EXACT: readonly Row[] = [
  ['Paris', 'Paris', 'right'],
  [' Paris\n', 'Paris', 'right'],
  ['paris', 'Paris', 'wrong'],
  ['', 'Paris', 'abstained'],
]

const JSONS: readonly Row[] = [
  ['{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}', 'right'],
  ['```json\n{"a": 1.0}\n```', '{"a":1}', 'right'],
  ['Here it is: {"a":1}. Done.', '{"a":1}', 'right'],
  ['[1,2]', '[2,1]', 'wrong'],
  ['{"a":1', '{"a":1}', 'abstained'],
  ['no json', '{"a":1}', 'abstained'],
]

const TABLES: Readonly<Record<GraderName, readonly Row[]>> = {
  number: NUMBERS,
  choice: CHOICES,
  boolean: BOOLEANS,
  text: TEXTS,
  exact: EXACT,
  json: JSONS,
}

for (const [name, rows] of Object.entries(TABLES))
  describe(`the ${name} grader`, () => {
    it.each(rows)('reads %j against %j as %s', (answer, expected, verdict) => {
      expect(graderOf(name).grade(answer, expected)).toMatchObject({ verdict })
    })
  })

it('has at least a hundred golden strings', () => {
  expect(Object.values(TABLES).flat().length).toBeGreaterThan(100)
})

it('reads the text of one option as its letter, and no letter beyond the options', () => {
  const choices = ['London', 'Paris', 'New York', 'York']
  const grade = (text: string): unknown => graderOf('choice').grade(text, 'B', { choices })
  expect(grade('It is Paris.')).toEqual({ verdict: 'right', extracted: 'B' })
  expect(grade('York')).toEqual({ verdict: 'wrong', extracted: 'D' })
  expect(grade('F')).toEqual({ verdict: 'abstained' })
})

it('compares words where the right option is given as text', () => {
  expect(graderOf('choice').grade('(or: false, true) true', 'true').verdict).toBe('right')
  expect(graderOf('choice').grade('Lyon', 'Paris').verdict).toBe('wrong')
})

it('gives equal answers equal keys, for voting', () => {
  const key = (name: string, text: string): string | undefined => graderOf(name).key(text)
  expect(key('number', 'The answer is 3 km')).toBe(key('number', '3,000 m'))
  expect(key('boolean', 'True.')).toBe(key('boolean', 'yes'))
  expect(key('text', 'The answer is Paris.')).toBe(key('text', 'paris'))
})

it('refuses an expected answer of another kind, which is a defect of the data set', () => {
  expect(() => graderOf('number').grade('5', 'some')).toThrow(/expected a number/)
  expect(() => graderOf('boolean').grade('yes', 'maybe')).toThrow(/yes or no/)
  expect(() => graderOf('json').grade('{}', '{')).toThrow(/JSON/)
  expect(() => graderOf('vibes')).toThrow(/no grader "vibes"/)
})

it('guesses the grader from the expected answer', () => {
  expect(['yes', 'B', '{"a":1}', '1,234', '-3/4', 'Paris', '12 km'].map(guessGrader)).toEqual([
    'boolean',
    'choice',
    'json',
    'number',
    'number',
    'text',
    'text',
  ])
})
