/** An element by its place in the periodic table; the f-block has no group. */
export interface Element {
  readonly number: number
  readonly symbol: string
  readonly name: string
  readonly period: number
  readonly group?: number
  readonly category: string
}

const SYMBOLS = `H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og`
const NAMES = `hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium aluminium silicon
phosphorus sulfur chlorine argon potassium calcium scandium titanium vanadium chromium manganese iron cobalt nickel copper
zinc gallium germanium arsenic selenium bromine krypton rubidium strontium yttrium zirconium niobium molybdenum technetium
ruthenium rhodium palladium silver cadmium indium tin antimony tellurium iodine xenon caesium barium lanthanum cerium
praseodymium neodymium promethium samarium europium gadolinium terbium dysprosium holmium erbium thulium ytterbium lutetium
hafnium tantalum tungsten rhenium osmium iridium platinum gold mercury thallium lead bismuth polonium astatine radon
francium radium actinium thorium protactinium uranium neptunium plutonium americium curium berkelium californium
einsteinium fermium mendelevium nobelium lawrencium rutherfordium dubnium seaborgium bohrium hassium meitnerium
darmstadtium roentgenium copernicium nihonium flerovium moscovium livermorium tennessine oganesson`

/** The last element of each row. */
const NOBLE = [2, 10, 18, 36, 54, 86, 118] as const
const METALLOIDS: ReadonlySet<number> = new Set([5, 14, 32, 33, 51, 52])
const NONMETALS: ReadonlySet<number> = new Set([1, 6, 7, 8, 15, 16, 34])
const NAMED_GROUPS: Readonly<Record<number, string>> = {
  1: 'alkali metal',
  2: 'alkaline earth metal',
  17: 'halogen',
  18: 'noble gas',
}

const periodOf = (number: number): number => NOBLE.findIndex(last => number <= last) + 1

function groupOf(number: number): number | undefined {
  if (number <= 2) return number === 1 ? 1 : 18
  const row = periodOf(number)
  const place = number - (NOBLE[row - 2] ?? 0)
  if (place <= 2) return place
  return row >= 6 && place <= 17 ? undefined : 18 - ((NOBLE[row - 1] ?? 0) - number)
}

/** The usual ten categories, by place in the table. */
function categoryOf(number: number): string {
  const group = groupOf(number)
  if (group === undefined) return number < 80 ? 'lanthanide' : 'actinide'
  if (NONMETALS.has(number)) return 'nonmetal'
  if (METALLOIDS.has(number)) return 'metalloid'
  return NAMED_GROUPS[group] ?? (group <= 12 ? 'transition metal' : 'post-transition metal')
}

const symbols = SYMBOLS.split(/\s+/u)

export const ELEMENTS: readonly Element[] = NAMES.split(/\s+/u).map((name, index) => {
  const group = groupOf(index + 1)
  return {
    number: index + 1,
    symbol: symbols[index] ?? '',
    name,
    period: periodOf(index + 1),
    category: categoryOf(index + 1),
    ...(group === undefined ? {} : { group }),
  }
})
