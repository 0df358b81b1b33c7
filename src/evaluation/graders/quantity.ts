/** A number with what stood around it. */
export interface Quantity {
  readonly value: number
  /** Canonical unit name of `UNITS`, or the word as written where the table does not know it. */
  readonly unit?: string
  readonly percent: boolean
}

interface Unit {
  readonly dimension: string
  /** How many of the dimension's base unit one of this is. */
  readonly factor: number
}

const dimension = (name: string, units: Readonly<Record<string, number>>): [string, Unit][] =>
  Object.entries(units).flatMap(([names, factor]) =>
    names.split(' ').map((key): [string, Unit] => [key, { dimension: name, factor }]),
  )

/** Exact factors (SI Brochure; international yard and pound agreement of 1959). Temperatures are compared unconverted. */
const UNITS: ReadonlyMap<string, Unit> = new Map([
  ...dimension('length', {
    'mm millimeter millimeters millimetre millimetres': 0.001,
    'cm centimeter centimeters centimetre centimetres': 0.01,
    'dm decimeter decimeters': 0.1,
    'm meter meters metre metres': 1,
    'km kilometer kilometers kilometre kilometres': 1000,
    'in inch inches': 0.0254,
    'ft foot feet': 0.3048,
    'yd yard yards': 0.9144,
    'mi mile miles': 1609.344,
  }),
  ...dimension('mass', {
    'mg milligram milligrams': 1e-6,
    'g gram grams': 0.001,
    'kg kilogram kilograms kilo kilos': 1,
    't ton tons tonne tonnes': 1000,
    'oz ounce ounces': 0.028349523125,
    'lb lbs pound pounds': 0.45359237,
  }),
  ...dimension('time', {
    'ms millisecond milliseconds': 0.001,
    's sec secs second seconds': 1,
    'min mins minute minutes': 60,
    'h hr hrs hour hours': 3600,
    'd day days': 86400,
    'week weeks': 604800,
  }),
  ...dimension('volume', {
    'ml milliliter milliliters millilitre millilitres': 0.001,
    'cl centiliter centiliters': 0.01,
    'dl deciliter deciliters': 0.1,
    'l liter liters litre litres': 1,
  }),
  ...dimension('money', { 'cent cents': 0.01, '$ usd dollar dollars': 1 }),
  ...dimension('fahrenheit', { '°f fahrenheit': 1 }),
  ...dimension('celsius', { '°c celsius': 1 }),
  ...dimension('kelvin', { 'kelvin kelvins': 1 }),
])

const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
/** To ninety-nine. */
const WORDS: Readonly<Record<string, number>> = Object.fromEntries([
  ...ONES.map((word, value) => [word, value] as const),
  ...TENS.flatMap((tens, index) =>
    ONES.slice(0, 10).map((one, value) => [value === 0 ? tens : `${tens}-${one}`, 20 + index * 10 + value] as const),
  ),
])
const SPACED_TENS = new RegExp(`\\b(${TENS.join('|')})\\s+(?=(?:${ONES.slice(1, 10).join('|')})\\b)`, 'giu')
const SCALES: Readonly<Record<string, number>> = { hundred: 1e2, thousand: 1e3, million: 1e6, billion: 1e9 }

const DIGITS = String.raw`\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+`
const NUMBER = new RegExp(
  // sign, currency, (mixed number or fraction | decimal | number word), exponent, scale word, percent or unit
  String.raw`(?<![\p{L}\p{N}_])(?<sign>[-−+]\s?)?(?<currency>[$€£¥]\s?)?(?:(?:(?<whole>\d+)\s+)?(?<top>\d+)\s*[/⁄]\s*(?<bottom>\d+)|(?<digits>${DIGITS})(?:\s*(?:[eE]|[x×*]\s?10\s?\^)\s*\{?(?<power>[-−+]?\d+)\}?)?|(?<word>${Object.keys(WORDS).reverse().join('|')})(?![\p{L}]))(?:\s?(?<scale>hundred|thousand|million|billion)\b)?(?:\s?(?<percent>%|percent\b|per cent\b)|[ \u00a0-]?(?<unit>°[CF]|[\p{L}]+))?`,
  'giu',
)

/**
 * Every number in a text, in order, with its unit, sign, fraction, thousands separators, percent and currency read.
 * `1 hour 30 minutes` is one quantity; number words count only where there are no digits.
 */
export function quantities(text: string): readonly Quantity[] {
  const source = plain(text)
  const matches = [...source.matchAll(NUMBER)]
  const digits = matches.filter(match => match.groups?.['word'] === undefined)
  const found: (Quantity & { end: number })[] = []
  for (const match of digits.length > 0 ? digits : matches) {
    const quantity = toQuantity(match.groups ?? {})
    if (!quantity) continue
    const end = match.index + match[0].length
    const before = found.at(-1)
    if (before && /^\s*(?:,|and|und)?\s*$/u.test(source.slice(before.end, match.index)) && isPart(quantity, before)) {
      found[found.length - 1] = {
        ...quantity,
        value: quantity.value + (before.value * factor(before)) / factor(quantity),
        end,
      }
    } else found.push({ ...quantity, end })
  }
  return found.map(({ end: _, ...quantity }) => quantity)
}

/**
 * Whether two quantities are the same. Units convert within a dimension (3 km is 3000 m) and must agree between
 * dimensions; a missing or unknown unit is not held against an answer. With a percent sign on one side only, both
 * readings (50 % as 50 and as 0.5) count, as in MATH.
 */
export function sameQuantity(answer: Quantity, expected: Quantity): boolean {
  const [left, right] = [UNITS.get(answer.unit ?? ''), UNITS.get(expected.unit ?? '')]
  if (left && right)
    return left.dimension === right.dimension && close(answer.value * left.factor, expected.value * right.factor)
  if (
    answer.percent !== expected.percent &&
    close(answer.value / 100, expected.value / (expected.percent ? 10_000 : 1))
  )
    return true
  if (expected.percent && !answer.percent && close(answer.value, expected.value / 100)) return true
  return close(answer.value, expected.value)
}

/** A quantity in one spelling, equal for equal quantities: base units, 12 significant digits. */
export function quantityKey({ value, unit, percent }: Quantity): string {
  const known = UNITS.get(unit ?? '')
  const number = Number((value * (known?.factor ?? 1)).toPrecision(12))
  return `${Object.is(number, -0) ? 0 : number}${percent ? ' %' : ''}${known ? ` ${known.dimension}` : ''}`
}

const factor = (quantity: Quantity): number => UNITS.get(quantity.unit ?? '')?.factor ?? 1

/** Minutes after hours, metres after kilometres: a smaller unit of the same dimension. */
function isPart(part: Quantity, whole: Quantity): boolean {
  const [small, large] = [UNITS.get(part.unit ?? ''), UNITS.get(whole.unit ?? '')]
  return (
    small !== undefined && large !== undefined && small.dimension === large.dimension && small.factor < large.factor
  )
}

/** Relative 5e-10: printed decimals and fractions agree, neighbouring integers up to 10^9 do not. */
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 5e-10 * Math.max(1e-3, Math.abs(a), Math.abs(b))

function toQuantity(groups: Readonly<Record<string, string | undefined>>): Quantity | undefined {
  const sign = /[-−]/u.test(groups['sign'] ?? '') ? -1 : 1
  const scale = SCALES[(groups['scale'] ?? '').toLowerCase()] ?? 1
  const power = Number((groups['power'] ?? '0').replace('−', '-'))
  let magnitude: number
  if (groups['bottom'] !== undefined)
    magnitude = Number(groups['whole'] ?? 0) + Number(groups['top']) / Number(groups['bottom'])
  else if (groups['word'] !== undefined) magnitude = WORDS[groups['word'].toLowerCase()] ?? Number.NaN
  else magnitude = Number((groups['digits'] ?? '').replace(/[,\u00a0\u202f]/gu, ''))
  const value = sign * magnitude * scale * 10 ** power
  if (!Number.isFinite(value)) return undefined
  const written = groups['currency']?.trim() === '$' ? '$' : groups['unit']?.toLowerCase()
  // a capital M or G is no metre or gram, and a single letter after a number is a unit only when the table knows it
  const unit = written !== undefined && UNITS.has(written) ? written : undefined
  return { value, percent: groups['percent'] !== undefined, ...(unit === undefined ? {} : { unit }) }
}

/** LaTeX fractions and spacing as plain text; bold and code marks off. */
const plain = (text: string): string =>
  text
    .slice(0, 20_000)
    .replace(/(\d?)([¼-¾⅐-⅞])/gu, (_, whole: string, sign: string) => `${whole} ${sign.normalize('NFKC')}`)
    .replace(/\\[dt]?frac\s*\{(-?\d+)\}\s*\{(\d+)\}/gu, ' $1/$2 ')
    .replace(/\\[dt]?frac\s*(\d)\s*(\d)/gu, ' $1/$2 ')
    .replace(/\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}/gu, ' $1 ')
    .replace(/\{,\}|\\!/gu, ',')
    .replace(/,,/gu, ',')
    .replace(/\^\{?\\circ\}?\s*([CF])\b/gu, '°$1')
    .replace(/\\%/gu, '%')
    .replace(/\\\$/gu, '$')
    .replace(/\\(?:[,;: ]|quad|left|right)/gu, ' ')
    .replace(SPACED_TENS, '$1-')
    .replace(/\*\*|`/gu, '')
    .replace(/ {2,}/gu, ' ')
