import type { Random } from '../../../utils/random.ts'
import { between, type Form, numbers, numeric, pick } from './form.ts'

type Names = readonly [one: string, many: string, symbol: string]

/** By symbol, or by name where none is common. */
const UNITS: Readonly<Record<string, Names>> = {
  km: ['kilometre', 'kilometres', 'km'],
  m: ['metre', 'metres', 'm'],
  cm: ['centimetre', 'centimetres', 'cm'],
  mm: ['millimetre', 'millimetres', 'mm'],
  t: ['tonne', 'tonnes', 't'],
  kg: ['kilogram', 'kilograms', 'kg'],
  g: ['gram', 'grams', 'g'],
  mg: ['milligram', 'milligrams', 'mg'],
  l: ['litre', 'litres', 'l'],
  cl: ['centilitre', 'centilitres', 'cl'],
  ml: ['millilitre', 'millilitres', 'ml'],
  week: ['week', 'weeks', ''],
  day: ['day', 'days', ''],
  h: ['hour', 'hours', 'h'],
  min: ['minute', 'minutes', 'min'],
  s: ['second', 'seconds', 's'],
  year: ['year', 'years', ''],
  month: ['month', 'months', ''],
  century: ['century', 'centuries', ''],
  decade: ['decade', 'decades', ''],
  dozen: ['dozen', 'dozens', ''],
  piece: ['piece', 'pieces', ''],
  yd: ['yard', 'yards', 'yd'],
  ft: ['foot', 'feet', 'ft'],
  in: ['inch', 'inches', 'in'],
  lb: ['pound', 'pounds', 'lb'],
  oz: ['ounce', 'ounces', 'oz'],
  euro: ['euro', 'euros', ''],
  cent: ['cent', 'cents', ''],
}

/** How many of the second make one of the first. */
const FACTORS: readonly (readonly [large: string, small: string, factor: number])[] = [
  ['km', 'm', 1000],
  ['m', 'cm', 100],
  ['cm', 'mm', 10],
  ['m', 'mm', 1000],
  ['t', 'kg', 1000],
  ['kg', 'g', 1000],
  ['g', 'mg', 1000],
  ['l', 'ml', 1000],
  ['l', 'cl', 100],
  ['cl', 'ml', 10],
  ['week', 'day', 7],
  ['day', 'h', 24],
  ['h', 'min', 60],
  ['min', 's', 60],
  ['year', 'month', 12],
  ['century', 'year', 100],
  ['decade', 'year', 10],
  ['dozen', 'piece', 12],
  ['yd', 'ft', 3],
  ['ft', 'in', 12],
  ['lb', 'oz', 16],
  ['euro', 'cent', 100],
]

const isPowerOfTen = (factor: number): boolean => [10, 100, 1000].includes(factor)
const namesOf = (unit: string): Names => UNITS[unit] ?? ['', '', '']
const find = (large: string, small: string): (typeof FACTORS)[number] | undefined =>
  FACTORS.find(([x, y]) => namesOf(x).includes(large.toLowerCase()) && namesOf(y).includes(small.toLowerCase()))

/** One to three digits of the larger unit, as the shipped models were taught. */
function amount(random: Random, factor: number, up: boolean): number {
  const drawn = pick(random, [
    () => between(random, 2, 9),
    () => between(random, 10, 99),
    () => between(random, 100, 999),
  ])()
  if (isPowerOfTen(factor)) return drawn
  return up ? drawn % Math.floor(999 / factor) || 2 : factor > 12 ? drawn % 100 || 7 : drawn
}

/** Between two units, `{x}` the larger and `{y}` the smaller, by name or by symbol (`form` is 1 or 2). */
const conversion = (kind: 'down' | 'up', form: 1 | 2, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  gaps: { n: '\\d+', x: '[a-z]+', y: '[a-z]+' },
  draw(random) {
    const [large, small, factor] = pick(random, FACTORS)
    const result = amount(random, factor, kind === 'up')
    const [x, y] = [namesOf(large)[form], namesOf(small)[form]]
    return x === '' || y === '' ? undefined : { n: String(kind === 'down' ? result : result * factor), x, y }
  },
  solve(slots) {
    const [n] = numbers(slots, ['n']) ?? []
    const entry = find(slots['x'] ?? '', slots['y'] ?? '')
    if (n === undefined || !entry) return undefined
    const [large, small, factor] = entry
    const key = `units:${kind}:${large},${small},${n}`
    if (kind === 'down') return numeric(n * factor, key)
    return n % factor === 0 ? numeric(n / factor, key) : undefined
  },
})

/** How many of the one make one of the other; keyed with the phrasing. */
const FACTOR: Form = {
  kind: 'factor',
  phrasings: [
    'How many {y} are in {one}?',
    'How many {y} are in one {x}?',
    'How many {y} does {one} have?',
    'How many {y} make one {x}?',
  ],
  gaps: { y: '[a-z]+', x: '[a-z]+', one: 'an? [a-z]+' },
  draw(random) {
    const [large, small] = pick(random, FACTORS)
    const [x] = namesOf(large)
    return { y: namesOf(small)[1], x, one: `${/^(?:hour|ounce)$/u.test(x) ? 'an' : 'a'} ${x}` }
  },
  solve({ y = '', x = '', one = '' }, phrasing) {
    const entry = find(phrasing % 2 === 0 ? one.replace(/^an? /iu, '') : x, y)
    return entry && numeric(entry[2], `units:factor:${entry[0]},${entry[1]}:${phrasing}`)
  },
}

export const UNIT_CONVERSION: readonly Form[] = [
  conversion('down', 1, [
    'How many {y} are in {n} {x}?',
    'How many {y} are there in {n} {x}?',
    'Convert {n} {x} to {y}.',
    'What is {n} {x} in {y}?',
    'How many {y} is {n} {x}?',
    '{n} {x} in {y}?',
    'Express {n} {x} in {y}.',
    'How many {y} make {n} {x}?',
    'Change {n} {x} into {y}.',
    'How many {y} do {n} {x} have?',
  ]),
  conversion('up', 1, [
    'How many {x} are {n} {y}?',
    'Convert {n} {y} to {x}.',
    'What is {n} {y} in {x}?',
    'How many {x} is {n} {y}?',
    '{n} {y} in {x}?',
    'Express {n} {y} in {x}.',
    'Change {n} {y} into {x}.',
    'How many {x} do {n} {y} make?',
  ]),
  conversion('down', 2, [
    'Convert {n} {x} to {y}.',
    '{n} {x} = ? {y}',
    'What is {n} {x} in {y}?',
    '{n} {x} in {y}',
    'How many {y} is {n} {x}?',
  ]),
  conversion('up', 2, [
    'Convert {n} {y} to {x}.',
    '{n} {y} = ? {x}',
    'What is {n} {y} in {x}?',
    '{n} {y} in {x}',
    'How many {x} is {n} {y}?',
  ]),
  FACTOR,
]
