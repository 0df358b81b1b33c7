import { sample } from '../../../utils/random.ts'
import { between, type Form, numbers, numeric, pick } from './form.ts'

const NAMES = 'Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate'.split(
  ' ',
)
const THINGS =
  'apples books pens coins cards marbles stickers eggs shells stamps oranges pencils balls sweets flowers cookies'.split(
    ' ',
  )

/**
 * Stories of two steps. Those of one step are left out: in training their keys held a third number that no reader sees,
 * so that nobody can tell which of them were kept out.
 */
const story = (signs: '++' | '+-' | '--', phrasings: readonly string[]): Form => ({
  kind: 'word problem',
  phrasings,
  gaps: { a: '\\d+', b: '\\d+', c: '\\d+', t: '\\w+', n: '\\w+', m: '\\w+' },
  draw(random) {
    const [a, b, c] = [0, 0, 0].map(() => between(random, 2, 99))
    const [n = '', m = ''] = sample(NAMES, 2, random)
    return { a: String(a), b: String(b), c: String(c), n, m, t: pick(random, THINGS) }
  },
  solve(slots, phrasing) {
    const [a, b, c] = numbers(slots, ['a', 'b', 'c']) ?? []
    if (a === undefined || b === undefined || c === undefined) return undefined
    const middle = signs[0] === '+' ? a + b : a - b
    const end = signs[1] === '+' ? middle + c : middle - c
    return middle < 0 || end < 0 ? undefined : numeric(end, `word:${signs}${phrasing}:${a},${b},${c}`)
  },
})

export const STORIES: readonly Form[] = [
  story('++', [
    '{n} has {a} {t}, buys {b} more and finds {c} more. How many {t} does {n} have now?',
    'There are {a} red, {b} blue and {c} green {t}. How many {t} are there in all?',
  ]),
  story('+-', [
    '{n} has {a} {t}, buys {b} more and then gives {c} to {m}. How many {t} does {n} have left?',
    'A bus has {a} people. {b} people get on and {c} people get off. How many people are on the bus?',
  ]),
  story('--', [
    '{n} has {a} {t}, gives {b} to {m} and loses {c}. How many {t} does {n} have left?',
    'A shop had {a} {t}. It sold {b} on Monday and {c} on Tuesday. How many {t} remain?',
  ]),
]
