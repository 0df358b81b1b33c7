import { between, type Form, number, numbers, numeric, pick, type Slots } from './form.ts'
import { STORIES } from './stories.ts'

const NUMBER = '\\d+'
const sorted = (a: number, b: number): string => (a < b ? `${a},${b}` : `${b},${a}`)

/** A question about two numbers; `answer` is undefined where they do not fit. */
const two = (
  kind: string,
  phrasings: readonly string[],
  draw: Form['draw'],
  solve: (a: number, b: number) => readonly [answer: number, key: string] | undefined,
): Form => ({
  kind,
  phrasings,
  gaps: { a: NUMBER, b: NUMBER },
  draw,
  solve(slots) {
    const [a, b] = numbers(slots, ['a', 'b']) ?? []
    const solved = a === undefined || b === undefined ? undefined : solve(a, b)
    return solved && numeric(...solved)
  },
})
const slots = (a: number, b: number): Slots => ({ a: String(a), b: String(b) })
const anyTwo: Form['draw'] = random => slots(number(random), number(random))
const largerFirst: Form['draw'] = random => {
  const [a, b] = [number(random), number(random)]
  return slots(Math.max(a, b), Math.min(a, b))
}
const different: Form['draw'] = random => {
  const a = number(random)
  const b = random.next() < 0.6 ? number(random) : Math.abs(a + between(random, -30, 30))
  return a === b || b > 999 ? undefined : slots(a, b)
}

/** Three or four terms of up to two digits, never below zero on the way. */
const EXPRESSION: Form = {
  kind: 'expression',
  phrasings: [
    'What is {e}?',
    'Calculate {e}.',
    '{e} = ?',
    '{e}',
    'Compute {e}.',
    'Work out {e}.',
    'Evaluate {e}.',
    'How much is {e}?',
  ],
  gaps: { e: '[\\d+ -]+' },
  draw(random) {
    let total = between(random, 0, 99)
    let text = String(total)
    for (let terms = pick(random, [2, 2, 3]); terms > 0; terms--) {
      const value = between(random, 0, random.next() < 0.6 ? 99 : 9)
      const minus = value <= total && random.next() < 0.5
      total += minus ? -value : value
      text += `${minus ? '-' : '+'}${value}`
    }
    return { e: text }
  },
  solve({ e = '' }) {
    const text = e.replaceAll(' ', '')
    if (!/^\d+(?:[+-]\d+){2,3}$/u.test(text)) return undefined
    const total = (text.match(/[+-]?\d+/gu) ?? []).reduce((sum, term) => sum + Number(term), 0)
    return numeric(total, `expression:${text}`)
  },
}

export const ARITHMETIC: readonly Form[] = [
  two(
    'addition',
    [
      'What is {a} plus {b}?',
      '{a} + {b} = ?',
      'Add {b} to {a}.',
      'Calculate {a}+{b}.',
      'What is {a} + {b}?',
      'How much is {a} plus {b}?',
      'What is the sum of {a} and {b}?',
      '{a}+{b}',
      'Compute {a} + {b}.',
      'What do you get when you add {a} and {b}?',
      '{a} plus {b} equals what?',
      'Work out {a} + {b}.',
      'What is {a}+{b}?',
      'Find the sum of {a} and {b}.',
      'What is the total of {a} and {b}?',
    ],
    anyTwo,
    (a, b) => [a + b, `addition:${sorted(a, b)}`],
  ),
  two(
    'subtraction',
    [
      'What is {a} minus {b}?',
      '{a} - {b} = ?',
      'Subtract {b} from {a}.',
      'Calculate {a}-{b}.',
      'What is {a} - {b}?',
      'How much is {a} minus {b}?',
      'Take {b} away from {a}.',
      '{a}-{b}',
      'Compute {a} - {b}.',
      '{a} minus {b} equals what?',
      'Work out {a} - {b}.',
      'What is {a}-{b}?',
      'What is left when you take {b} from {a}?',
    ],
    largerFirst,
    (a, b) => [a - b, `subtraction:${a},${b}`],
  ),
  two(
    'multiplication',
    [
      'What is {a} times {b}?',
      '{a} * {b} = ?',
      'Multiply {a} by {b}.',
      'Calculate {a}*{b}.',
      'What is {a} * {b}?',
      'How much is {a} times {b}?',
      'What is the product of {a} and {b}?',
      '{a}*{b}',
      'Compute {a} * {b}.',
      'What is {a} multiplied by {b}?',
      '{a} times {b} equals what?',
      'Work out {a} x {b}.',
      'What is {a}*{b}?',
    ],
    random => slots(number(random), between(random, 2, 99)),
    (a, b) => [a * b, `multiplication:${sorted(a, b)}`],
  ),
  two(
    'division',
    [
      'What is {a} divided by {b}?',
      '{a} / {b} = ?',
      'Divide {a} by {b}.',
      'Calculate {a}/{b}.',
      'What is {a} / {b}?',
      'How much is {a} divided by {b}?',
      '{a}/{b}',
      'Compute {a} / {b}.',
      '{a} divided by {b} equals what?',
      'Work out {a} / {b}.',
      'How many times does {b} go into {a}?',
    ],
    random => {
      const [quotient, b] = [between(random, 1, 99), between(random, 2, 12)]
      return quotient * b > 999 ? undefined : slots(quotient * b, b)
    },
    (a, b) => (b === 0 || a % b !== 0 ? undefined : [a / b, `division:${a},${b}`]),
  ),
  two(
    'remainder',
    [
      'What is the remainder when {a} is divided by {b}?',
      'What is {a} mod {b}?',
      'Find the remainder of {a} divided by {b}.',
      'What is left over when you divide {a} by {b}?',
    ],
    random => slots(number(random), between(random, 2, 12)),
    (a, b) => (b === 0 ? undefined : [a % b, `remainder:${a},${b}`]),
  ),
  two(
    'difference',
    [
      'What is the difference between {a} and {b}?',
      'Find the difference between {a} and {b}.',
      'How far apart are {a} and {b}?',
      'What is the difference of {a} and {b}?',
    ],
    anyTwo,
    (a, b) => [Math.abs(a - b), `difference:${sorted(a, b)}`],
  ),
  two(
    'comparison',
    [
      'Which is larger, {a} or {b}?',
      'Which number is larger, {a} or {b}?',
      'Which is greater, {a} or {b}?',
      'Which is bigger, {a} or {b}?',
      'What is the larger of {a} and {b}?',
      'What is the maximum of {a} and {b}?',
    ],
    different,
    (a, b) => [Math.max(a, b), `larger:${sorted(a, b)}`],
  ),
  two(
    'comparison (smaller)',
    [
      'Which is smaller, {a} or {b}?',
      'Which number is smaller, {a} or {b}?',
      'Which is less, {a} or {b}?',
      'What is the smaller of {a} and {b}?',
      'What is the minimum of {a} and {b}?',
    ],
    different,
    (a, b) => [Math.min(a, b), `smaller:${sorted(a, b)}`],
  ),
  EXPRESSION,
  ...STORIES,
]
