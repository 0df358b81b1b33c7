import type { Random } from '../../../utils/random.ts'
import { between, type Form, numbers, numeric, pick, placeOf, type Solved } from './form.ts'

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth'.split(' ')
const WORD = '[a-z]+'
const DATE = '\\d+ [a-z]+|[a-z]+ \\d+'
const TIME = '\\d+:\\d\\d'

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
const at = (names: readonly string[], index: number): string =>
  names[((index % names.length) + names.length) % names.length] ?? ''
const text = (answer: string, key: string): Solved => ({ answer, key, grader: 'text' })

const weekday = (kind: string, direction: 1 | -1, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  gaps: { n: '\\d+', d: WORD },
  draw: random => ({ n: String(between(random, 2, 130)), d: pick(random, DAYS) }),
  solve(slots) {
    const [n] = numbers(slots, ['n']) ?? []
    const day = placeOf(DAYS, slots['d'])
    return n === undefined || day < 0 ? undefined : text(at(DAYS, day + direction * n), `calendar:${kind}:${day},${n}`)
  },
})

/** The one after or before, of days or months; keyed with the phrasing. */
const neighbour = (kind: string, names: readonly string[], direction: 1 | -1, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  gaps: { d: WORD },
  draw: random => ({ d: pick(random, names) }),
  solve({ d }, phrasing) {
    const place = placeOf(names, d)
    return place < 0 ? undefined : text(at(names, place + direction), `calendar:${kind}:${place}${phrasing}`)
  },
})

/** What a month is, by its name; keyed with the phrasing. */
const month = (kind: string, phrasings: readonly string[], value: (index: number) => number | undefined): Form => ({
  kind,
  phrasings,
  gaps: { m: WORD },
  draw: random => ({ m: pick(random, MONTHS) }),
  solve({ m }, phrasing) {
    const place = placeOf(MONTHS, m)
    const answer = place < 0 ? undefined : value(place)
    return answer === undefined ? undefined : numeric(answer, `calendar:${kind}:${place}${phrasing}`)
  },
})

const year = (kind: string, phrasings: readonly string[], solve: (year: number, key: string) => Solved): Form => ({
  kind,
  phrasings,
  gaps: { y: '\\d{4}' },
  draw: random => ({ y: String(between(random, 1500, 2599)) }),
  solve: ({ y = '' }) => (/^\d{4}$/u.test(y) ? solve(Number(y), `calendar:${kind}:${y}`) : undefined),
})

const NTH_MONTH: Form = {
  kind: 'nth month',
  phrasings: [
    'What is the {o} month of the year?',
    'Which month is the {o} of the year?',
    'Name the {o} month of the year.',
    'Which is the {o} month?',
  ],
  gaps: { o: WORD },
  draw: random => ({ o: pick(random, ORDINALS) }),
  solve({ o }, phrasing) {
    const place = placeOf(ORDINALS, o)
    return place < 0 ? undefined : text(MONTHS[place] ?? '', `calendar:nth month:${place}${phrasing}`)
  },
}

/** A day of the year without a year: `17 May` or `May 17`. */
function readDate(written = ''): { readonly month: number; readonly day: number } | undefined {
  const place = placeOf(MONTHS, /[a-z]+/iu.exec(written)?.[0])
  const day = Number(/\d+/u.exec(written)?.[0])
  return place >= 0 && day >= 1 && day <= (LENGTHS[place] ?? 0) ? { month: place, day } : undefined
}
const date = (random: Random, place: number, day: number): string =>
  random.next() < 0.3 ? `${day} ${MONTHS[place]}` : `${MONTHS[place]} ${day}`
const lengthOf = (place: number): number => LENGTHS[place] ?? 0

/** Within one month or from one into the next; never across the end of February or of the year. */
const BETWEEN: Form = {
  kind: 'days between',
  phrasings: [
    'How many days are there from {x} to {z}?',
    'How many days are between {x} and {z}?',
    'How many days is it from {x} to {z}?',
    'How many days pass from {x} to {z}?',
  ],
  gaps: { x: DATE, z: DATE },
  draw(random) {
    const place = between(random, 0, 11)
    const day = between(random, 1, lengthOf(place) - 1)
    const same = random.next() < 0.5 || place === 1 || place === 11
    const end = same ? between(random, day + 1, lengthOf(place)) : between(random, 1, lengthOf(place + 1))
    return { x: date(random, place, day), z: date(random, same ? place : place + 1, end) }
  },
  solve(slots) {
    const [from, to] = [readDate(slots['x']), readDate(slots['z'])]
    if (!from || !to || to.month - from.month > 1 || (from.month === 1 && to.month > 1)) return undefined
    const days = to.month === from.month ? to.day - from.day : lengthOf(from.month) - from.day + to.day
    if (to.month < from.month || days <= 0) return undefined
    return numeric(days, `calendar:days between:${from.month},${from.day},${to.month},${to.day}`)
  },
}

/** Up to 40 days on, into the next month at most; never across the end of February or of the year. */
const DATE_AFTER: Form = {
  kind: 'date after',
  phrasings: [
    'What date is {n} days after {x}?',
    'Which date is {n} days after {x}?',
    'What is the date {n} days after {x}?',
    'Today is {x}. What is the date in {n} days?',
  ],
  gaps: { n: '\\d+', x: DATE },
  draw(random) {
    const place = between(random, 0, 10)
    return { n: String(between(random, 2, 40)), x: date(random, place, between(random, 1, lengthOf(place))) }
  },
  solve(slots) {
    const [n] = numbers(slots, ['n']) ?? []
    const from = readDate(slots['x'])
    if (n === undefined || !from) return undefined
    const over = from.day + n - lengthOf(from.month)
    if (over > 0 && (from.month === 1 || from.month === 11 || over > lengthOf(from.month + 1))) return undefined
    const answer = over > 0 ? `${MONTHS[from.month + 1]} ${over}` : `${MONTHS[from.month]} ${from.day + n}`
    return text(answer, `calendar:date after:${from.month},${from.day},${n}`)
  },
}

const clock = (minutes: number): string => `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
const minutesOf = (written = ''): number => {
  const [hours, minutes] = written.split(':').map(Number)
  return (hours ?? Number.NaN) * 60 + (minutes ?? Number.NaN)
}

const DURATION: Form = {
  kind: 'duration',
  phrasings: [
    'How many minutes are there from {x} to {z}?',
    'How many minutes is it from {x} to {z}?',
    'How many minutes pass from {x} to {z}?',
    'A film runs from {x} to {z}. How many minutes is that?',
    'How many minutes are between {x} and {z}?',
  ],
  gaps: { x: TIME, z: TIME },
  draw(random) {
    const start = between(random, 0, 22 * 60 - 1)
    return { x: clock(start), z: clock(Math.min(start + between(random, 5, 180), 23 * 60 + 59)) }
  },
  solve({ x, z }) {
    const [start, stop] = [minutesOf(x), minutesOf(z)]
    return stop > start ? numeric(stop - start, `calendar:duration:${start},${stop}`) : undefined
  },
}

const CLOCK_AFTER: Form = {
  kind: 'clock after',
  phrasings: [
    'What time is it {n} minutes after {x}?',
    'It is {x}. What time is it in {n} minutes?',
    'What is the time {n} minutes after {x}?',
  ],
  gaps: { n: '\\d+', x: TIME },
  draw: random => ({ n: String(between(random, 2, 59)), x: clock(between(random, 0, 22 * 60 - 1)) }),
  solve(slots) {
    const [n] = numbers(slots, ['n']) ?? []
    const start = minutesOf(slots['x'])
    return n === undefined || !(start + n < 24 * 60)
      ? undefined
      : text(clock(start + n), `calendar:clock after:${start},${n}`)
  },
}

export const CALENDAR: readonly Form[] = [
  weekday('day after', 1, [
    'What day comes {n} days after {d}?',
    'What day of the week is {n} days after {d}?',
    'Which day is {n} days after {d}?',
    'If today is {d}, what day is it in {n} days?',
    'Today is {d}. What day is it in {n} days?',
    'What weekday is {n} days after {d}?',
    'Which weekday comes {n} days after {d}?',
    'What day is {n} days after {d}?',
    'It is {d}. What day will it be {n} days from now?',
  ]),
  weekday('day before', -1, [
    'What day comes {n} days before {d}?',
    'What day of the week is {n} days before {d}?',
    'Which day is {n} days before {d}?',
    'If today is {d}, what day was it {n} days ago?',
    'Today is {d}. What day was it {n} days ago?',
    'What weekday is {n} days before {d}?',
    'What day is {n} days before {d}?',
  ]),
  neighbour('next day', DAYS, 1, [
    'What day comes after {d}?',
    'Which day comes after {d}?',
    'What is the day after {d}?',
    'Which day follows {d}?',
    'If today is {d}, what day is tomorrow?',
    'What day follows {d}?',
    'Today is {d}. What day is tomorrow?',
    'What is the next day after {d}?',
    'Name the day after {d}.',
  ]),
  neighbour('previous day', DAYS, -1, [
    'What day comes before {d}?',
    'Which day comes before {d}?',
    'What is the day before {d}?',
    'Name the day before {d}.',
    'If today is {d}, what day was yesterday?',
    'Today is {d}. What day was yesterday?',
    'Which day is right before {d}?',
  ]),
  month(
    'days in month',
    [
      'How many days are in {m}?',
      'How many days does {m} have?',
      'How many days are there in {m}?',
      'What is the number of days in {m}?',
      'How long is {m} in days?',
      'Number of days in {m}?',
      'How many days has {m}?',
      'Give the number of days in {m}.',
    ],
    place => (place === 1 ? undefined : LENGTHS[place]), // that of February depends on the year
  ),
  year(
    'days in February',
    [
      'How many days does February have in {y}?',
      'How many days are in February {y}?',
      'How many days did February {y} have?',
      'How many days are there in February {y}?',
    ],
    (y, key) => numeric(isLeap(y) ? 29 : 28, key),
  ),
  year(
    'leap year',
    [
      'Is {y} a leap year?',
      'Was {y} a leap year?',
      'Is the year {y} a leap year?',
      'Does {y} count as a leap year?',
      'Is {y} a leap year, yes or no?',
    ],
    (y, key) => ({ answer: isLeap(y) ? 'yes' : 'no', key, grader: 'boolean' }),
  ),
  neighbour('next month', MONTHS, 1, [
    'Which month comes after {d}?',
    'What month comes after {d}?',
    'What is the month after {d}?',
    'Which month follows {d}?',
    'Name the month after {d}.',
    'What month follows {d}?',
  ]),
  neighbour('previous month', MONTHS, -1, [
    'Which month comes before {d}?',
    'What month comes before {d}?',
    'What is the month before {d}?',
    'Name the month before {d}.',
  ]),
  month(
    'month number',
    [
      'What number is {m} among the months?',
      'Which number does the month {m} have?',
      'What is the number of the month {m}?',
      '{m} is which month of the year, as a number?',
    ],
    place => place + 1,
  ),
  NTH_MONTH,
  BETWEEN,
  DATE_AFTER,
  DURATION,
  CLOCK_AFTER,
]
