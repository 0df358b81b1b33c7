"""The periodic table: symbol, name, atomic number, group, period, category of all 118 elements.

Category, group and period follow from the place in the table; the f-block has no group.
"""
from generators.base import Item, phrase, vary

SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""".split()
NAMES = """hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium aluminium silicon
phosphorus sulfur chlorine argon potassium calcium scandium titanium vanadium chromium manganese iron cobalt nickel copper
zinc gallium germanium arsenic selenium bromine krypton rubidium strontium yttrium zirconium niobium molybdenum technetium
ruthenium rhodium palladium silver cadmium indium tin antimony tellurium iodine xenon caesium barium lanthanum cerium
praseodymium neodymium promethium samarium europium gadolinium terbium dysprosium holmium erbium thulium ytterbium lutetium
hafnium tantalum tungsten rhenium osmium iridium platinum gold mercury thallium lead bismuth polonium astatine radon
francium radium actinium thorium protactinium uranium neptunium plutonium americium curium berkelium californium
einsteinium fermium mendelevium nobelium lawrencium rutherfordium dubnium seaborgium bohrium hassium meitnerium
darmstadtium roentgenium copernicium nihonium flerovium moscovium livermorium tennessine oganesson""".split()
ALSO_SPELLED = {"aluminium": "aluminum", "caesium": "cesium", "sulfur": "sulphur"}
NOBLE = (2, 10, 18, 36, 54, 86, 118)
METALLOIDS = {5, 14, 32, 33, 51, 52}
NONMETALS = {1, 6, 7, 8, 15, 16, 34}
PHRASINGS = {
    "number": [
        "What is the atomic number of {n}?", "What's the atomic number of {n}?", "Give the atomic number of {n}.",
        "Which atomic number does {n} have?", "Tell me the atomic number of {n}.", "How many protons does {n} have?",
        "What atomic number does {n} have?", "{n}: atomic number?", "The atomic number of {n} is what?",
        "How many protons are in an atom of {n}?",
    ],
    "name by number": [
        "Which element has atomic number {z}?", "What element has the atomic number {z}?", "Name the element with atomic number {z}.",
        "What is the element with atomic number {z}?", "Which element is number {z}?", "Which element has {z} protons?",
        "Element {z} is called what?", "What is element number {z}?",
    ],
    "symbol": [
        "What is the chemical symbol of {n}?", "What is the symbol for {n}?", "What's the symbol of {n}?", "Give the symbol of {n}.",
        "Which symbol does {n} have?", "What is the symbol of the element {n}?", "What is the chemical symbol for {n}?",
        "What is the symbol of {n}?",
    ],
    "name by symbol": [
        "Which element has the symbol {s}?", "What element has the symbol {s}?", "Name the element with the symbol {s}.",
        "What is the name of the element {s}?", "Which element is {s}?", "What does the symbol {s} stand for?",
        "{s} is the symbol of which element?", "What is the element with the symbol {s}?",
    ],
    "group": [
        "Which group is {n} in?", "What group is {n} in?", "In which group of the periodic table is {n}?",
        "What is the group of {n}?", "Give the group of {n}.", "What is the group number of {n}?",
        "Which group of the periodic table does {n} belong to?", "{n} is in which group?",
    ],
    "period": [
        "Which period is {n} in?", "What period is {n} in?", "In which period of the periodic table is {n}?",
        "What is the period of {n}?", "Give the period of {n}.", "What is the period number of {n}?",
        "Which period of the periodic table does {n} belong to?", "{n} is in which period?",
    ],
    "category": [
        "What category of element is {n}?", "What kind of element is {n}?", "What type of element is {n}?",
        "Which category does {n} belong to?", "To which category does {n} belong?", "What is the category of {n}?",
        "What sort of element is {n}?", "Give the category of {n}.",
    ],
}

# The same with the name never in first place, where its pieces differ from those inside a sentence: for the models
# that know chemistry beside other things.
INSTEAD = {
    "{n}: atomic number?": "Atomic number of {n}?", "{n} is in which group?": "Group of {n}?",
    "{n} is in which period?": "Period of {n}?", "{s} is the symbol of which element?": "Which element is written {s}?",
}
NAME_LAST = {kind: [INSTEAD.get(text, text) for text in texts] for kind, texts in PHRASINGS.items()}


def period(number):
    """The row of the table."""
    return next(index + 1 for index, last in enumerate(NOBLE) if number <= last)


def group(number):
    """The column of the table; None in the f-block."""
    if number in (1, 2):
        return 1 if number == 1 else 18
    row = period(number)
    start, last = NOBLE[row - 2], NOBLE[row - 1]
    offset = number - start
    if offset <= 2:
        return offset
    if row >= 6 and offset <= 17:
        return None
    return 18 - (last - number)


def category(number):
    """The usual ten categories, by place in the table."""
    column = group(number)
    if column is None:
        return "lanthanide" if number < 80 else "actinide"
    if number in NONMETALS:
        return "nonmetal"
    if number in METALLOIDS:
        return "metalloid"
    named = {1: "alkali metal", 2: "alkaline earth metal", 17: "halogen", 18: "noble gas"}
    return named.get(column) or ("transition metal" if column <= 12 else "post-transition metal")


ELEMENTS = [{"z": z, "name": name, "symbol": symbol, "group": group(z), "period": period(z), "category": category(z)}
            for z, (name, symbol) in enumerate(zip(NAMES, SYMBOLS), 1)]
ANSWERS = {"number": "z", "name by number": "name", "symbol": "symbol", "name by symbol": "name", "group": "group",
           "period": "period", "category": "category"}


def fact(kind, elements=None, phrasings=PHRASINGS):
    """A generator of questions of one kind over some of the elements."""
    column = ANSWERS[kind]
    source = [element for element in elements or ELEMENTS if element[column] is not None]
    grader = "number" if column in ("z", "group", "period") else "text"

    def make(rng):
        element = rng.choice(source)
        name = element["name"]
        if rng.random() < 0.1:
            name = ALSO_SPELLED.get(name, name)
        index, question = phrase(phrasings, kind, rng, n=name, z=element["z"], s=element["symbol"])
        question = question[0].upper() + question[1:]
        question = vary(question, rng, lower="symbol" not in kind)
        return Item(question, str(element[column]), kind, f"elements:{kind}:{element['z']}:{index}", grader)
    return make
