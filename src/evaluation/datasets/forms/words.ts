import type { Random } from '../../../utils/random.ts'
import { between, type Form, numeric, pick, placeOf, type Solved } from './form.ts'
import { PAST_TENSES, PLURALS } from './inflections.ts'

const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ')
const ORDINALS_SHORT = '1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th'.split(' ')
const LETTER = '[a-z]'

const isVowel = (letter: string): boolean => 'aeiouAEIOU'.includes(letter)
const lettersOf = (word: string): readonly string[] => word.match(/\p{L}/gu) ?? []
const text = (answer: string, key: string): Solved => ({ answer, key, grader: 'text' })
const unquoted = (word = ''): string => word.replace(/^"(.*)"$/u, '$1')

/** A word that can be spoken, of two to four syllables: no list, so that none was trained on as a whole. */
const madeUpWord = (random: Random): string =>
  Array.from(
    { length: between(random, 2, 4) },
    () => pick(random, [...'bdfgklmnprstvz']) + pick(random, [...'aeiou']),
  ).join('')

/** A question about the letters of one word. */
const spelling = (
  kind: string,
  phrasings: readonly string[],
  solve: (word: string, key: string) => Solved | undefined,
): Form => ({
  kind,
  phrasings,
  draw: random => ({ w: madeUpWord(random) }),
  solve({ w }) {
    const word = unquoted(w)
    return lettersOf(word).length === 0 ? undefined : solve(word, `words:${kind}:${word.toLowerCase()}:`)
  },
})

const OCCURRENCES: Form = {
  kind: 'occurrences',
  phrasings: [
    'How many times does the letter {l} occur in {w}?',
    'How often does the letter {l} appear in {w}?',
    'How many times does {l} appear in the word {w}?',
    'Count the letter {l} in {w}.',
    "How many {l}'s are in {w}?",
  ],
  gaps: { l: LETTER },
  draw(random) {
    const word = madeUpWord(random)
    return { w: word, l: pick(random, [...(random.next() < 0.8 ? word : 'aeinorst')]) }
  },
  solve({ l = '', w }) {
    const word = unquoted(w)
    return numeric(word.split(l).length - 1, `words:occurrences:${word.toLowerCase()}:${l}`)
  },
}

const NTH_LETTER: Form = {
  kind: 'nth letter',
  phrasings: [
    'What is the {o} letter of {w}?',
    'What is the {o} letter in {w}?',
    'Give the {o} letter of {w}.',
    'What is the {o} letter of the word {w}?',
    'Name the {o} letter of {w}.',
    'Which letter is the {o} in {w}?',
  ],
  gaps: { o: '[a-z0-9]+' },
  draw(random) {
    const word = madeUpWord(random)
    return { w: word, o: pick(random, [ORDINALS, ORDINALS_SHORT])[between(random, 1, word.length - 1)] ?? '' }
  },
  solve({ o, w }) {
    const word = unquoted(w)
    const place = Math.max(placeOf(ORDINALS, o), placeOf(ORDINALS_SHORT, o))
    const letter = place < 1 ? undefined : word[place]
    return letter === undefined ? undefined : text(letter, `words:nth letter:${word.toLowerCase()}:${place + 1}`)
  },
}

/** The form of a known word; keyed with the phrasing. */
const inflection = (kind: string, table: ReadonlyMap<string, string>, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  draw: random => ({ w: pick(random, [...table.keys()]) }),
  solve({ w }, phrasing) {
    const answer = table.get(unquoted(w))
    return answer === undefined ? undefined : text(answer, `words:${kind}:${unquoted(w)}:${phrasing}`)
  },
})

/** A question about two words, of which neither begins with the other. */
const twoWords = (
  kind: string,
  phrasings: readonly string[],
  solve: (a: string, b: string, key: string) => Solved | undefined,
): Form => ({
  kind,
  phrasings,
  gaps: { a: LETTER.concat('+'), b: LETTER.concat('+') },
  draw(random) {
    const [a, other] = [madeUpWord(random), madeUpWord(random)]
    const b = random.next() < 0.4 ? a.slice(0, between(random, 1, 3)) + other : other
    return a.startsWith(b) || b.startsWith(a) ? undefined : { a, b }
  },
  solve: ({ a = '', b = '' }) => (a === b ? undefined : solve(a, b, `words:${kind}:${[a, b].sort().join(',')}`)),
})

const SORT: Form = {
  kind: 'sort',
  phrasings: [
    'Put these words in alphabetical order: {l}.',
    'Sort these words alphabetically: {l}.',
    'Write in alphabetical order: {l}.',
    'Order these words alphabetically: {l}.',
    'Sort alphabetically: {l}.',
  ],
  gaps: { l: '[a-z]+, [a-z]+, [a-z]+' },
  draw(random) {
    const words = [0, 0, 0].map(() => pick(random, [...PLURALS.keys(), ...PAST_TENSES.keys()]))
    return new Set(words.map(word => word[0])).size < 3 ? undefined : { l: words.join(', ') }
  },
  solve({ l = '' }) {
    const words = l.split(', ').sort()
    return words.length === 3 ? text(words.join(', '), `words:sort:${words.join(',')}`) : undefined
  },
}

export const WORDS: readonly Form[] = [
  spelling(
    'letters',
    [
      'How many letters are in {w}?',
      'How many letters are in the word {w}?',
      'How many letters does {w} have?',
      'How many letters does the word {w} have?',
      'Count the letters in {w}.',
      'What is the number of letters in {w}?',
      'What is the number of letters in the word {w}?',
      'Count the letters of {w}.',
      'How long is the word {w}?',
      'How many letters are there in {w}?',
      'Number of letters in {w}?',
    ],
    (word, key) => numeric(lettersOf(word).length, key),
  ),
  spelling(
    'vowels',
    [
      'How many vowels are in {w}?',
      'How many vowels are in the word {w}?',
      'How many vowels does {w} have?',
      'Count the vowels in {w}.',
      'What is the number of vowels in {w}?',
      'How many vowels are there in {w}?',
    ],
    (word, key) => numeric(lettersOf(word).filter(isVowel).length, key),
  ),
  OCCURRENCES,
  spelling(
    'first letter',
    [
      'What is the first letter of {w}?',
      'What is the first letter in {w}?',
      'Which letter does {w} start with?',
      'What letter does {w} begin with?',
      'What is the first letter of the word {w}?',
      'Name the first letter of {w}.',
      'Give the first letter of {w}.',
      'With which letter does {w} begin?',
    ],
    (word, key) => text(word[0] ?? '', key),
  ),
  spelling(
    'last letter',
    [
      'What is the last letter of {w}?',
      'What is the last letter in {w}?',
      'Which letter does {w} end with?',
      'What letter does {w} end with?',
      'What is the last letter of the word {w}?',
      'Name the last letter of {w}.',
      'Give the last letter of {w}.',
      'With which letter does {w} end?',
    ],
    (word, key) => text(word.at(-1) ?? '', key),
  ),
  NTH_LETTER,
  spelling(
    'reverse',
    [
      'Reverse the word {w}.',
      'Reverse {w}.',
      'Spell {w} backwards.',
      'Write {w} backwards.',
      'What is {w} spelled backwards?',
      'What is {w} backwards?',
      'Write the word {w} in reverse.',
    ],
    (word, key) => text([...word].reverse().join(''), key),
  ),
  inflection('plural', PLURALS, [
    'What is the plural of {w}?',
    'Give the plural of {w}.',
    'What is the plural form of {w}?',
    'Plural of {w}?',
    'What is the plural of the word {w}?',
    'Write the plural of {w}.',
    'How do you say more than one {w}?',
    'One {w}, two what?',
  ]),
  inflection('past tense', PAST_TENSES, [
    'What is the past tense of {w}?',
    'Give the past tense of {w}.',
    'What is the past tense of the verb {w}?',
    'Past tense of {w}?',
    'Write the past tense of {w}.',
    'Put {w} into the past tense.',
    'What is the simple past of {w}?',
    'Today I {w}, yesterday I what?',
  ]),
  twoWords(
    'order',
    [
      'Which word comes first in alphabetical order, {a} or {b}?',
      'Which comes first alphabetically, {a} or {b}?',
      'Which word comes first in the dictionary, {a} or {b}?',
      'Alphabetically, which is first: {a} or {b}?',
      'Which is first in alphabetical order, {a} or {b}?',
    ],
    (a, b, key) => text([a, b].sort()[0] ?? '', key),
  ),
  SORT,
  twoWords(
    'longer',
    [
      'Which word is longer, {a} or {b}?',
      'Which is longer, {a} or {b}?',
      'Which word has more letters, {a} or {b}?',
      'Which has more letters, {a} or {b}?',
    ],
    (a, b, key) => (a.length === b.length ? undefined : text(a.length > b.length ? a : b, key)),
  ),
]
