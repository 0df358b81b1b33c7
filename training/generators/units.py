"""Conversions between everyday units; the factor is stated first, then the product or quotient is worked out.

A factor of two digits is taken in parts of one digit, so that every row has one small number to work with:
`(1 day=24 h; 287*4: 7*4=28, 8*4+2=34, 2*4+3=11; 1148*6: ...) 6888`.
"""
from generators.arithmetic import divide_steps, times_digit_steps
from generators.base import Item, phrase, vary

# singular, plural, symbol (empty where none is common)
UNITS = {
    "km": ("kilometre", "kilometres", "km"), "m": ("metre", "metres", "m"), "cm": ("centimetre", "centimetres", "cm"),
    "mm": ("millimetre", "millimetres", "mm"), "t": ("tonne", "tonnes", "t"), "kg": ("kilogram", "kilograms", "kg"),
    "g": ("gram", "grams", "g"), "mg": ("milligram", "milligrams", "mg"), "l": ("litre", "litres", "l"),
    "cl": ("centilitre", "centilitres", "cl"), "ml": ("millilitre", "millilitres", "ml"),
    "week": ("week", "weeks", ""), "day": ("day", "days", ""), "h": ("hour", "hours", "h"), "min": ("minute", "minutes", "min"),
    "s": ("second", "seconds", "s"), "year": ("year", "years", ""), "month": ("month", "months", ""),
    "century": ("century", "centuries", ""), "decade": ("decade", "decades", ""), "dozen": ("dozen", "dozens", ""),
    "piece": ("piece", "pieces", ""), "yd": ("yard", "yards", "yd"), "ft": ("foot", "feet", "ft"), "in": ("inch", "inches", "in"),
    "lb": ("pound", "pounds", "lb"), "oz": ("ounce", "ounces", "oz"), "euro": ("euro", "euros", ""), "cent": ("cent", "cents", ""),
}
# (large, small, how many small ones make a large one)
FACTORS = (
    ("km", "m", 1000), ("m", "cm", 100), ("cm", "mm", 10), ("m", "mm", 1000), ("t", "kg", 1000), ("kg", "g", 1000),
    ("g", "mg", 1000), ("l", "ml", 1000), ("l", "cl", 100), ("cl", "ml", 10), ("week", "day", 7), ("day", "h", 24),
    ("h", "min", 60), ("min", "s", 60), ("year", "month", 12), ("century", "year", 100), ("decade", "year", 10),
    ("dozen", "piece", 12), ("yd", "ft", 3), ("ft", "in", 12), ("lb", "oz", 16), ("euro", "cent", 100),
)
PARTS = {12: (3, 4), 16: (4, 4), 24: (4, 6), 60: (6, 10)}
PHRASINGS = {
    "down": [
        "How many {ys} are in {n} {xs}?", "How many {ys} are there in {n} {xs}?", "Convert {n} {xs} to {ys}.", "What is {n} {xs} in {ys}?",
        "How many {ys} is {n} {xs}?", "{n} {xs} in {ys}?", "Express {n} {xs} in {ys}.", "How many {ys} make {n} {xs}?",
        "Change {n} {xs} into {ys}.", "How many {ys} do {n} {xs} have?",
    ],
    "up": [
        "How many {xs} are {n} {ys}?", "Convert {n} {ys} to {xs}.", "What is {n} {ys} in {xs}?", "How many {xs} is {n} {ys}?",
        "{n} {ys} in {xs}?", "Express {n} {ys} in {xs}.", "Change {n} {ys} into {xs}.", "How many {xs} do {n} {ys} make?",
    ],
    "symbols down": ["Convert {n} {x} to {y}.", "{n} {x} = ? {y}", "What is {n} {x} in {y}?", "{n} {x} in {y}", "How many {y} is {n} {x}?"],
    "symbols up": ["Convert {n} {y} to {x}.", "{n} {y} = ? {x}", "What is {n} {y} in {x}?", "{n} {y} in {x}", "How many {x} is {n} {y}?"],
    "factor": ["How many {ys} are in a {x1}?", "How many {ys} are in one {x1}?", "How many {ys} does a {x1} have?",
               "How many {ys} make one {x1}?"],
}


def amount(rng):
    length = rng.choices((1, 2, 3), (0.35, 0.4, 0.25))[0]
    return rng.randrange(10 ** (length - 1), 10 ** length)


def is_power_of_ten(factor):
    return factor in (10, 100, 1000)


WORKED = tuple(entry for entry in FACTORS if not is_power_of_ten(entry[2]))  # more than zeros to move


def down_steps(large, small, factor, n):
    """`1 km=1000 m; 5*1000=5000`, or the product worked out part by part."""
    parts = [f"1 {large}={factor} {small}"]
    for part in PARTS.get(factor, (factor,)):
        parts.append(f"{n}*{part}={n * part}" if is_power_of_ten(part) else times_digit_steps(n, part))
        n *= part
    return "; ".join(parts)


def up_steps(large, small, factor, n):
    """Zeros taken off, or long division by each part in turn, the largest first."""
    parts = [f"1 {large}={factor} {small}"]
    for part in reversed(PARTS.get(factor, (factor,))):
        parts.append(f"{n}/{part}={n // part}" if is_power_of_ten(part) else divide_steps(n, part))
        n //= part
    return "; ".join(parts)


def ask(kind, rng, large, small, n, answer, steps):
    symbols = UNITS[large][2] and UNITS[small][2] and rng.random() < 0.25
    names = UNITS[large], UNITS[small]
    slots = dict(n=n, x=names[0][2], y=names[1][2], xs=names[0][1], ys=names[1][1])
    count = {"down": "xs", "up": "ys"}[kind]
    if n == 1:
        slots[count] = names[kind == "up"][0]
    _, question = phrase(PHRASINGS, f"symbols {kind}" if symbols else kind, rng, **slots)
    return Item(vary(question, rng), str(answer), kind, f"units:{kind}:{large},{small},{n}", "number", steps)


def down(rng, factors=FACTORS):
    """From the larger unit to the smaller one."""
    large, small, factor = rng.choice(factors)
    n = amount(rng)
    if factor > 12 and not is_power_of_ten(factor) and n > 99 and rng.random() < 0.7:
        n = n % 100 or 7
    return ask("down", rng, large, small, n, n * factor, down_steps(large, small, factor, n))


def up(rng, factors=FACTORS):
    """From the smaller unit to the larger one, whole results only."""
    large, small, factor = rng.choice(factors)
    result = amount(rng)
    if not is_power_of_ten(factor):
        result = result % (999 // factor) or 2
    n = result * factor
    return ask("up", rng, large, small, n, result, up_steps(large, small, factor, n))


def factor(rng):
    """How many of the one make one of the other; keyed with the phrasing."""
    large, small, value = rng.choice(FACTORS)
    index, question = phrase(PHRASINGS, "factor", rng, ys=UNITS[small][1], x1=UNITS[large][0])
    question = question.replace(" a hour", " an hour").replace(" a ounce", " an ounce")
    return Item(vary(question, rng), str(value), "factor", f"units:factor:{large},{small}:{index}", "number",
                f"1 {large}={value} {small}")
