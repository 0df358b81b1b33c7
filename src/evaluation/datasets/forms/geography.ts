import { COUNTRIES, type Country } from './countries.ts'
import { type Form, pick } from './form.ts'

const WITH_ARTICLE: ReadonlySet<string> = new Set([
  'Bahamas',
  'Dominican Republic',
  'Gambia',
  'Ivory Coast',
  'Maldives',
  'Netherlands',
  'Philippines',
  'Seychelles',
  'United Arab Emirates',
  'United Kingdom',
  'United States',
])

type Fact = Exclude<keyof Country, 'country'>

/** Facts of a country: keyed with the phrasing, since a fact that nobody was taught in any words cannot be known. */
const fact = (kind: string, of: Fact, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  capital: true,
  draw(random) {
    const { country, [of]: value } = pick(random, COUNTRIES)
    return value === undefined ? undefined : { c: WITH_ARTICLE.has(country) ? `the ${country}` : country }
  },
  solve({ c = '' }, phrasing) {
    const row = COUNTRIES.find(({ country }) => country.toLowerCase() === c.toLowerCase().replace(/^the /u, ''))
    const answer = row?.[of]
    return row && answer !== undefined
      ? { answer, key: `geography:${kind}:${row.country}:${phrasing}`, grader: 'text' }
      : undefined
  },
})

const COUNTRY: Form = {
  kind: 'country',
  phrasings: [
    '{x} is the capital of which country?',
    'Which country has {x} as its capital?',
    "Which country's capital is {x}?",
    'What country is {x} the capital of?',
    'Of which country is {x} the capital?',
    'Name the country whose capital is {x}.',
    'What is the country whose capital is {x}?',
    'Which country has the capital {x}?',
  ],
  draw(random) {
    const { capital } = pick(random, COUNTRIES)
    return capital === undefined ? undefined : { x: capital }
  },
  solve({ x = '' }, phrasing) {
    const row = COUNTRIES.find(({ capital }) => capital?.toLowerCase() === x.toLowerCase())
    return row && { answer: row.country, key: `geography:country:${row.country}:${phrasing}`, grader: 'text' }
  },
}

export const GEOGRAPHY: readonly Form[] = [
  fact('capital', 'capital', [
    'What is the capital of {c}?',
    'Which city is the capital of {c}?',
    'Name the capital of {c}.',
    '{c}: capital?',
    'What is the capital city of {c}?',
    'Tell me the capital of {c}.',
    'The capital of {c} is which city?',
    'What city is the capital of {c}?',
    "What's the capital of {c}?",
    'Give the capital of {c}.',
  ]),
  COUNTRY,
  fact('continent', 'continent', [
    'On which continent is {c}?',
    'Which continent is {c} in?',
    'What continent is {c} in?',
    'Name the continent of {c}.',
    'What is the continent of {c}?',
    '{c} is on which continent?',
    'In which continent does {c} lie?',
    'Which continent does {c} belong to?',
  ]),
  fact('currency', 'currency', [
    'What is the currency of {c}?',
    'Which currency is used in {c}?',
    'What currency does {c} use?',
    'Name the currency of {c}.',
    'What money is used in {c}?',
    'What do people pay with in {c}?',
    'Which currency does {c} have?',
    "What's the currency of {c}?",
  ]),
  fact('language', 'language', [
    'What language is spoken in {c}?',
    'What is the main language of {c}?',
    'Which language do people speak in {c}?',
    'What is the official language of {c}?',
    'Name the main language of {c}.',
    'Which language is spoken in {c}?',
    'What language do they speak in {c}?',
    'What is the language of {c}?',
  ]),
  fact('largest city', 'largestCity', [
    'What is the largest city of {c}?',
    'Which city is the largest in {c}?',
    'What is the biggest city in {c}?',
    'Name the largest city of {c}.',
    'What is the largest city in {c}?',
    'Which is the biggest city of {c}?',
    'What city is the largest in {c}?',
    "What's the largest city in {c}?",
  ]),
]
