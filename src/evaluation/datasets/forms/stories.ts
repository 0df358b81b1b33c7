import { sample } from '../../../utils/random.ts'
import { between, type Form, numbers, numeric, pick } from './form.ts'

const NAMES = 'Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate'.split(
  ' ',
)
const THINGS =
  'apples books pens coins cards marbles stickers eggs shells stamps oranges pencils balls sweets flowers cookies'.split(
    ' ',
  )

const GAPS = { a: '\\d+', b: '\\d+', c: '\\d+', t: '\\w+', n: '\\w+', m: '\\w+' }

/** A story of one step or two: what somebody had, and what comes and goes. Its key holds the numbers that it shows. */
const story = (signs: '+' | '-' | '++' | '+-' | '--', phrasings: readonly string[]): Form => ({
  kind: 'word problem',
  phrasings,
  gaps: GAPS,
  draw(random) {
    const [a, b, c] = [0, 0, 0].map(() => between(random, 2, 99))
    const [n = '', m = ''] = sample(NAMES, 2, random)
    return { a: String(a), b: String(b), c: String(c), n, m, t: pick(random, THINGS) }
  },
  solve(slots, phrasing) {
    const shown = numbers(slots, ['a', 'b', 'c'].slice(0, signs.length + 1))
    if (!shown) return undefined
    const [start = 0, ...moves] = shown
    let held = start
    for (const [step, move] of moves.entries()) {
      held += signs[step] === '+' ? move : -move
      if (held < 0) return undefined
    }
    return numeric(held, `word:${signs}${phrasing}:${shown.join(',')}`)
  },
})

export const STORIES: readonly Form[] = [
  story('+', [
    '{n} has {a} {t} and buys {b} more. How many {t} does {n} have now?',
    '{n} has {a} {t}. {m} gives {n} {b} more {t}. How many {t} does {n} have?',
    '{n} has {a} {t} and {m} has {b} {t}. How many {t} do they have together?',
    'There are {a} {t} in one box and {b} {t} in another box. How many {t} are there in total?',
    '{n} found {a} {t} on Monday and {b} {t} on Tuesday. How many {t} did {n} find in all?',
    'A shop sold {a} {t} in the morning and {b} {t} in the afternoon. How many {t} did it sell?',
    '{n} read {a} pages yesterday and {b} pages today. How many pages did {n} read?',
    '{m} has {b} more {t} than {n}. {n} has {a} {t}. How many {t} does {m} have?',
  ]),
  story('-', [
    '{n} has {a} {t} and gives {b} to {m}. How many {t} does {n} have left?',
    '{n} had {a} {t} and lost {b} of them. How many {t} are left?',
    'There are {a} {t} in a box. {n} takes {b} {t} out. How many {t} are still in the box?',
    '{n} has {a} {t}. {m} has {b} fewer {t} than {n}. How many {t} does {m} have?',
    'A shop had {a} {t} and sold {b} of them. How many {t} remain?',
    '{n} wants {a} {t} and already has {b}. How many more {t} does {n} need?',
    'A book has {a} pages. {n} has read {b} pages. How many pages are left?',
    '{n} baked {a} cookies and ate {b} of them. How many cookies are left?',
  ]),
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
