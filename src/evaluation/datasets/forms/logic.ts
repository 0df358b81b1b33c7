import type { Random } from '../../../utils/random.ts'
import { sample } from '../../../utils/random.ts'
import { between, type Form, pick, type Solved } from './form.ts'

const NAMES =
  'Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate Otto Lena Hugo Ida Carl Vera Finn Zoe Noah Mila'.split(
    ' ',
  )
const THINGS = 'pens hats cups books shoes bags coats balls boxes cars gloves socks keys plates bikes'.split(' ')
const FOODS = 'rice soup bread cheese fish beans salad pasta honey corn'.split(' ')
const CLASSES =
  'poets dancers farmers bakers pilots singers doctors teachers painters sailors cats dogs birds robots lions tigers horses rabbits dragons wizards'.split(
    ' ',
  )

/** What is said of a person, and how it is asked for. */
const FACTS = [
  { said: 'has', asks: 'Does', asked: 'have', objects: THINGS },
  { said: 'bought', asks: 'Did', asked: 'buy', objects: THINGS },
  { said: 'sold', asks: 'Did', asked: 'sell', objects: THINGS },
  { said: 'likes', asks: 'Does', asked: 'like', objects: FOODS },
  { said: 'eats', asks: 'Does', asked: 'eat', objects: FOODS },
  { said: 'wants', asks: 'Does', asked: 'want', objects: FOODS },
] as const

/** A passage and what is asked about it. */
const LEADS = [
  'Read: {p} {q}',
  'Given: {p} {q}',
  'Passage: {p} Question: {q}',
  'Facts: {p} Question: {q}',
  'Read: {p} Question: {q}',
  '{p} {q}',
]
const GAPS = { p: '.+\\.', q: '[^.:]+\\?' }

type Passage = { readonly sentences: readonly string[]; readonly question: string }

const passage = (
  kind: string,
  draw: (random: Random) => Passage,
  decide: (sentences: readonly string[], question: string) => boolean | undefined,
): Form => ({
  kind,
  phrasings: LEADS,
  gaps: GAPS,
  draw(random) {
    const { sentences, question } = draw(random)
    return { p: sentences.map(sentence => `${sentence}.`).join(' '), q: question }
  },
  solve({ p = '', q = '' }) {
    const verdict = decide(p.slice(0, -1).split('. '), q)
    return verdict === undefined
      ? undefined
      : { answer: verdict ? 'yes' : 'no', key: `logic:${p}:${q}`, grader: 'boolean' }
  },
})

/** Two to four facts about different people, one of whom is asked about. */
const READING = passage(
  'reading',
  random => {
    const people = sample(NAMES, between(random, 2, 4), random)
    const one = pick(random, FACTS)
    const alike = random.next() < 0.5
    const facts = people.map(name => {
      const fact = alike ? one : pick(random, FACTS)
      return { name, fact, object: pick<string>(random, fact.objects) }
    })
    const { name, fact, object } = pick(random, facts)
    const others = fact.objects.filter(other => other !== object)
    const named = random.next() < 0.5 ? object : pick<string>(random, others)
    return {
      sentences: facts.map(each => `${each.name} ${each.fact.said} ${each.object}`),
      question: `${fact.asks} ${name} ${fact.asked} ${named}?`,
    }
  },
  (sentences, question) => {
    const [, asks, name, asked, object] = /^(\w+) (\w+) (\w+) (\w+)\?$/u.exec(question) ?? []
    const fact = FACTS.find(each => each.asks === asks && each.asked === asked)
    const told = sentences
      .map(sentence => sentence.split(' '))
      .find(([who, verb]) => who === name && verb === fact?.said)
    return fact && told?.length === 3 ? told[2] === object : undefined
  },
)

/** Which class is said to lie within which: `All cats are robots`. */
const inclusions = (sentences: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    sentences.flatMap(sentence => {
      const [, inner, outer] = /^All (\w+) are (\w+)$/u.exec(sentence) ?? []
      return inner === undefined || outer === undefined ? [] : [[inner, outer] as const]
    }),
  )

/** A class and all that it lies within, from the inside out. */
function within(start: string, classes: ReadonlyMap<string, string>): readonly string[] {
  const found = [start]
  for (let next = classes.get(start); next !== undefined && !found.includes(next); next = classes.get(next))
    found.push(next)
  return found
}

/** All A are B, no B are C: does somebody belong to a class. */
const MEMBERSHIP = passage(
  'classes',
  random => {
    const names = sample(CLASSES, 4, random)
    const length = between(random, 1, 2)
    const person = pick(random, NAMES)
    const negative = random.next() < 0.5
    const sentences = [
      `${person} joined ${names[0]}`,
      ...names.slice(0, length).map((name, index) => `All ${name} are ${names[index + 1]}`),
      ...(negative ? [`No ${names[length]} are ${names[length + 1]}`] : []),
    ]
    const asked = negative && random.next() < 0.6 ? length + 1 : between(random, 0, length)
    return {
      sentences: sample(sentences, sentences.length, random),
      question: `Is ${person} one of the ${names[asked]}?`,
    }
  },
  (sentences, question) => {
    const [, person, target] = /^Is (\w+) one of the (\w+)\?$/u.exec(question) ?? []
    const joined = sentences
      .map(sentence => /^(\w+) joined (\w+)$/u.exec(sentence))
      .find(match => match?.[1] === person)
    if (target === undefined || joined?.[2] === undefined) return undefined
    const classes = within(joined[2], inclusions(sentences))
    if (classes.includes(target)) return true
    return classes.some(each => sentences.includes(`No ${each} are ${target}`)) ? false : undefined
  },
)

/** All A are B and all B are C: are all A then C, and the other way round. */
const SUBCLASS = passage(
  'subclass',
  random => {
    const names = sample(CLASSES, between(random, 2, 4), random)
    const sentences = names.slice(0, -1).map((name, index) => `All ${name} are ${names[index + 1]}`)
    const [first, second] = sample(names, 2, random)
    return { sentences: sample(sentences, sentences.length, random), question: `Are all ${first} ${second}?` }
  },
  (sentences, question) => {
    const [, first, second] = /^Are all (\w+) (\w+)\?$/u.exec(question) ?? []
    if (first === undefined || second === undefined) return undefined
    const classes = inclusions(sentences)
    if (classes.size !== sentences.length) return undefined
    return within(first, classes).includes(second) ? true : within(second, classes).includes(first) ? false : undefined
  },
)

const literal = (random: Random): string => `${random.next() < 0.35 ? 'not ' : ''}${random.next() < 0.5}`
const pair = (random: Random, left: string, right: string): string => `${left} ${pick(random, ['and', 'or'])} ${right}`
const bracketed = (random: Random): string =>
  `${random.next() < 0.3 ? 'not ' : ''}(${pair(random, literal(random), literal(random))})`

/** And, or, not over two to four values; brackets first. */
const BOOLEAN: Form = {
  kind: 'boolean',
  phrasings: [
    'What is {e}?',
    'Evaluate {e}.',
    'Is {e} true or false?',
    '{e} = ?',
    'What is the value of {e}?',
    'Work out {e}.',
  ],
  draw: random => ({
    e: pick(random, [
      () => pair(random, literal(random), literal(random)),
      () => pair(random, bracketed(random), literal(random)),
      () => pair(random, literal(random), bracketed(random)),
      () => pair(random, bracketed(random), bracketed(random)),
    ])(),
  }),
  solve({ e = '' }): Solved | undefined {
    const value = evaluateBoolean(e)
    return value === undefined ? undefined : { answer: value, key: `logic:boolean:${e}`, grader: 'choice' }
  },
}

/** `true` or `false`; rewritten from the inside until one word is left. */
function evaluateBoolean(text: string): string | undefined {
  let rest = text
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest
      .replace(/\((true|false)\)/gu, '$1')
      .replace(/not (true|false)/gu, (_, value: string) => String(value === 'false'))
      .replace(/(?<=^|\()(true|false) (and|or) (true|false)(?=$|\))/gu, (_, a: string, how: string, b: string) =>
        String(how === 'and' ? a === 'true' && b === 'true' : a === 'true' || b === 'true'),
      )
  }
  return rest === 'true' || rest === 'false' ? rest : undefined
}

export const LOGIC: readonly Form[] = [READING, MEMBERSHIP, SUBCLASS, BOOLEAN]
