import type { Random } from '../../../src/utils/random.ts'
import type { Slots } from './grammar.ts'
import { pick } from './grammar.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*/)

const number = (random: Random, digits: number): string =>
  String(Math.floor(random.next() * 10 ** (1 + Math.floor(random.next() * digits))))

/** A word nobody has seen: a name must be read as a name by where it stands. */
export function inventName(random: Random): string {
  const syllables = words('ba,ko,li,ma,ner,os,ri,ta,ven,zu,el,dor,ga,pin,sha,tur,wi,an,be,mo')
  const length = 2 + Math.floor(random.next() * 2)
  const text = Array.from({ length }, () => pick(random, syllables)).join('')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const COUNTRIES =
  words(`France, Germany, Italy, Spain, Portugal, Poland, Norway, Sweden, Finland, Denmark, Iceland, Ireland,
  the United Kingdom, the Netherlands, Belgium, Switzerland, Austria, Hungary, Greece, Turkey, Russia, Ukraine, Romania,
  Egypt, Kenya, Nigeria, Ghana, Morocco, Algeria, Ethiopia, South Africa, Senegal, Mali, Chad, Uganda, Tanzania, China,
  Japan, India, Thailand, Vietnam, Indonesia, Malaysia, the Philippines, South Korea, Mongolia, Nepal, Pakistan, Iran,
  Iraq, Saudi Arabia, Israel, Canada, Mexico, Brazil, Argentina, Chile, Peru, Colombia, Cuba, the United States, Bolivia,
  Australia, New Zealand, Fiji`)
const CITIES =
  words(`Paris, Berlin, Rome, Madrid, Lisbon, Warsaw, Oslo, Stockholm, Helsinki, Dublin, London, Vienna, Athens,
  Ankara, Moscow, Cairo, Nairobi, Accra, Rabat, Dakar, Beijing, Tokyo, New Delhi, Bangkok, Hanoi, Jakarta, Manila, Seoul,
  Kathmandu, Tehran, Baghdad, Ottawa, Lima, Bogota, Havana, Canberra, Santiago, Buenos Aires, Brasilia, Budapest`)
const ELEMENTS =
  words(`hydrogen, helium, lithium, carbon, nitrogen, oxygen, fluorine, neon, sodium, magnesium, aluminium,
  silicon, phosphorus, sulfur, chlorine, argon, potassium, calcium, titanium, chromium, manganese, iron, cobalt, nickel,
  copper, zinc, gallium, arsenic, bromine, krypton, silver, tin, iodine, xenon, barium, tungsten, platinum, gold, mercury,
  lead, radon, uranium, plutonium, radium, bismuth, cadmium, vanadium, selenium, rubidium, strontium`)
const SYMBOLS =
  words(`H, He, Li, Be, B, C, N, O, F, Ne, Na, Mg, Al, Si, P, S, Cl, Ar, K, Ca, Ti, Cr, Mn, Fe, Co, Ni, Cu, Zn,
  Ag, Sn, Xe, W, Pt, Au, Hg, Pb, U`)
const NOUNS =
  words(`apple, house, child, mouse, tree, city, box, knife, tooth, leaf, baby, book, river, mountain, window,
  bottle, elephant, banana, garden, computer, puppy, bus, church, potato, wolf, sheep, foot, woman, butterfly, kitchen`)
const VERBS =
  words(`go, run, sing, write, eat, think, buy, catch, walk, play, bring, teach, swim, fly, see, take, break, begin,
  speak, jump, study, stop, carry, try, sleep, drink, choose, drive`)
const PEOPLE = words(
  'Tom, Anna, Ben, Maria, Sam, Lucy, Omar, Nina, Paul, Emma, Ali, Rosa, Jack, Leo, Sara, Max, Wei, Priya',
)
const THINGS = words(
  'apples, books, pens, coins, cards, marbles, stickers, eggs, shells, stamps, oranges, pencils, balls, sweets, cookies, dollars, tickets',
)
const DAYS = words('Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday')
const MONTHS = words('January, February, March, April, May, June, July, August, September, October, November, December')
const UNITS =
  words(`kilometres, metres, centimetres, millimetres, kilograms, grams, milligrams, tonnes, litres, millilitres, hours,
    minutes, seconds, days, weeks, years, months, feet, inches, yards, miles, pounds, ounces, gallons, dozens, kilometers,
    meters, centimeters, liters, centuries, decades, cents, euros, km, cm, kg, mm, ml, m, g, lb, oz, ft, celsius, fahrenheit,
    bytes, kilobytes, megabytes, knots, acres, hectares, pieces`)

/** What the patterns of `phrasings.ts` refer to. */
export const SLOTS: Slots = {
  n: random => number(random, 3),
  big: random => String(100 + Math.floor(random.next() * 9900)),
  small: random => String(2 + Math.floor(random.next() * 11)),
  z: random => String(1 + Math.floor(random.next() * 118)),
  year: random => String(1900 + Math.floor(random.next() * 150)),
  decimal: random => `${number(random, 2)}.${Math.floor(random.next() * 10)}`,
  op: ['+', '-', '*', '/', 'x', '×', '÷', '+', '-'],
  opword: ['plus', 'minus', 'times', 'divided by', 'added to', 'multiplied by'],
  country: random =>
    random.next() < 0.45
      ? `[|||the |the United |South |New |Saint ]${inventName(random)}[||||||s| Islands| Republic]`
      : pick(random, COUNTRIES),
  city: random => (random.next() < 0.4 ? inventName(random) : pick(random, CITIES)),
  element: random =>
    random.next() < 0.35 ? `${inventName(random).toLowerCase()}[ium|on|ine|]` : pick(random, ELEMENTS),
  symbol: SYMBOLS,
  noun: NOUNS,
  verb: VERBS,
  word: random =>
    random.next() < 0.4
      ? inventName(random).toLowerCase()
      : pick(random, [
          ...NOUNS,
          ...VERBS,
          ...COUNTRIES.filter(name => !name.includes(' ')),
          ...ELEMENTS,
          ...MONTHS,
          ...DAYS,
          ...UNITS,
        ]),
  letter: random => String.fromCharCode(97 + Math.floor(random.next() * 26)),
  ordinal: words('first, second, third, fourth, fifth, sixth, seventh, 2nd, 3rd, 4th, last'),
  person: random => (random.next() < 0.15 ? inventName(random) : pick(random, PEOPLE)),
  things: THINGS,
  day: DAYS,
  month: MONTHS,
  unit: UNITS,
  abbr: words('km, m, cm, mm, kg, g, mg, t, l, cl, ml, h, min, s, ft, in, yd, lb, oz, MB, GB'),
  clock: random =>
    `${1 + Math.floor(random.next() * 23)}:${String(Math.floor(random.next() * 60)).padStart(2, '0')}${pick(random, ['', '', '', ' am', ' pm'])}`,
  one: words(`kilometre, metre, centimetre, kilogram, gram, tonne, litre, hour, minute, day, week, year, foot, inch, yard, mile,
    pound, gallon, dozen, century, decade, euro, meter, kilometer, liter, megabyte`),
  adjective: words(
    'taller, older, faster, heavier, richer, shorter, younger, slower, bigger, stronger, smaller, cheaper',
  ),
  most: words('tallest, oldest, fastest, heaviest, richest, shortest, youngest, slowest, strongest'),
  kind: words(
    'poets, dancers, cats, dogs, birds, robots, lions, teachers, doctors, painters, farmers, flowers, mammals, students',
  ),
  color: words('red, blue, green, yellow, black, white, brown, pink'),
  place: words('park, school, garden, kitchen, library, station, market, museum, harbour, office'),
  food: words('rice, soup, bread, cheese, fish, beans, pasta, honey'),
  bool: ['true', 'false'],
  country_zh: words(
    '法国, 德国, 日本, 中国, 英国, 美国, 巴西, 印度, 埃及, 意大利, 西班牙, 加拿大, 韩国, 泰国, 俄罗斯, 澳大利亚',
  ),
  element_zh: words('氢, 氧, 铁, 金, 银, 铜, 碳, 氮, 钠, 钙, 铝, 锌, 氦, 铅'),
}
