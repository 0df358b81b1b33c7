import { ELEMENTS, type Element } from './elements.ts'
import { type Form, pick, type Slots } from './form.ts'

const ALSO_SPELLED: Readonly<Record<string, string>> = { aluminum: 'aluminium', cesium: 'caesium', sulphur: 'sulfur' }

/** How models are asked that know chemistry beside other things: the name never stands first. */
const NAME_LAST: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  number: { 7: 'Atomic number of {n}?' },
  group: { 7: 'Group of {n}?' },
  period: { 7: 'Period of {n}?' },
  'name by symbol': { 6: 'Which element is written {s}?' },
}

/** A fact of an element that a gap names: `n` by name, `z` by number, `s` by symbol; keyed with the phrasing. */
const fact = (kind: string, by: 'n' | 'z' | 's', of: keyof Element, phrasings: readonly string[]): Form => ({
  kind,
  phrasings,
  capital: true,
  also: NAME_LAST[kind] ?? {},
  draw(random) {
    const element = pick(random, ELEMENTS)
    return element[of] === undefined ? undefined : { n: element.name, z: String(element.number), s: element.symbol }
  },
  solve(slots, phrasing) {
    const element = named(by, slots)
    const answer = element?.[of]
    return element && answer !== undefined
      ? {
          answer: String(answer),
          key: `elements:${kind}:${element.number}:${phrasing}`,
          grader: typeof answer === 'number' ? 'number' : 'text',
        }
      : undefined
  },
})

function named(by: 'n' | 'z' | 's', { n = '', z = '', s = '' }: Slots): Element | undefined {
  if (by === 's') return ELEMENTS.find(({ symbol }) => symbol === s.slice(0, 1).toUpperCase() + s.slice(1))
  if (by === 'z') return ELEMENTS.find(({ number }) => String(number) === z)
  const name = n.toLowerCase()
  return ELEMENTS.find(element => element.name === (ALSO_SPELLED[name] ?? name))
}

export const CHEMISTRY: readonly Form[] = [
  fact('number', 'n', 'number', [
    'What is the atomic number of {n}?',
    "What's the atomic number of {n}?",
    'Give the atomic number of {n}.',
    'Which atomic number does {n} have?',
    'Tell me the atomic number of {n}.',
    'How many protons does {n} have?',
    'What atomic number does {n} have?',
    '{n}: atomic number?',
    'The atomic number of {n} is what?',
    'How many protons are in an atom of {n}?',
  ]),
  fact('name by number', 'z', 'name', [
    'Which element has atomic number {z}?',
    'What element has the atomic number {z}?',
    'Name the element with atomic number {z}.',
    'What is the element with atomic number {z}?',
    'Which element is number {z}?',
    'Which element has {z} protons?',
    'Element {z} is called what?',
    'What is element number {z}?',
  ]),
  fact('symbol', 'n', 'symbol', [
    'What is the chemical symbol of {n}?',
    'What is the symbol for {n}?',
    "What's the symbol of {n}?",
    'Give the symbol of {n}.',
    'Which symbol does {n} have?',
    'What is the symbol of the element {n}?',
    'What is the chemical symbol for {n}?',
    'What is the symbol of {n}?',
  ]),
  fact('name by symbol', 's', 'name', [
    'Which element has the symbol {s}?',
    'What element has the symbol {s}?',
    'Name the element with the symbol {s}.',
    'What is the name of the element {s}?',
    'Which element is {s}?',
    'What does the symbol {s} stand for?',
    '{s} is the symbol of which element?',
    'What is the element with the symbol {s}?',
  ]),
  fact('group', 'n', 'group', [
    'Which group is {n} in?',
    'What group is {n} in?',
    'In which group of the periodic table is {n}?',
    'What is the group of {n}?',
    'Give the group of {n}.',
    'What is the group number of {n}?',
    'Which group of the periodic table does {n} belong to?',
    '{n} is in which group?',
  ]),
  fact('period', 'n', 'period', [
    'Which period is {n} in?',
    'What period is {n} in?',
    'In which period of the periodic table is {n}?',
    'What is the period of {n}?',
    'Give the period of {n}.',
    'What is the period number of {n}?',
    'Which period of the periodic table does {n} belong to?',
    '{n} is in which period?',
  ]),
  fact('category', 'n', 'category', [
    'What category of element is {n}?',
    'What kind of element is {n}?',
    'What type of element is {n}?',
    'Which category does {n} belong to?',
    'To which category does {n} belong?',
    'What is the category of {n}?',
    'What sort of element is {n}?',
    'Give the category of {n}.',
  ]),
]
