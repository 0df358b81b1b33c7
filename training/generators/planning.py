"""Composite questions and their plans: one line per step, `skill: sub-question`, `$n` for the answer of step n.

The sub-questions use phrasings the specialists know. The key is the plan itself, so a held-out question combines
entities in a way that was never trained on. Questions with invented entities are never held out, because nobody
could answer them.
"""
from generators.base import Item, is_held_out, vary
from generators.calendar import DAYS
from generators.elements import ELEMENTS
from generators.geography import COUNTRIES
from generators.planning_facts import (Plan, atomic_number, country_fact, element_fact, known, letters_of_name, literal,
                                       month_length, number_fact, place_fact, text_fact, unit_count)
from generators.units import FACTORS, UNITS
from generators.words import VOWELS, letters_of


# Each maker returns the question, or None where the values do not suit.

SUMS = ("What is {a} plus {b}?", "What is the sum of {a} and {b}?", "Add {a} and {b}.", "How much is {a} plus {b}?",
        "What do you get when you add {a} and {b}?", "Calculate {a} plus {b}.", "What is the total of {a} and {b}?", "{a} plus {b}?")
MINUS = ("What is {a} minus {b}?", "How much is {a} minus {b}?", "Calculate {a} minus {b}.", "What is left when you take {b} from {a}?",
         "Subtract {b} from {a}.")
DIFFERENCES = ("What is the difference between {a} and {b}?", "Find the difference between {a} and {b}.")
PRODUCTS = ("What is {a} times {b}?", "What is the product of {a} and {b}?", "Multiply {a} by {b}.", "How much is {a} times {b}?",
            "What is {a} multiplied by {b}?")
LARGER = ("Which is larger, {a} or {b}?", "Which number is larger, {a} or {b}?", "Which is greater, {a} or {b}?",
          "What is the larger of {a} and {b}?")
SMALLER = ("Which is smaller, {a} or {b}?", "Which number is smaller, {a} or {b}?", "What is the smaller of {a} and {b}?")


def two_numbers(plan, templates, asked, compute, suits=lambda x, y: True):
    template = plan.rng.choice(templates)
    a, b = (number_fact(plan, False), number_fact(plan)) if plan.rng.random() < 0.8 else (number_fact(plan), number_fact(plan, False))
    if template.index("{a}") > template.index("{b}"):  # steps stand in the order of reading
        a, b = b, a
    value = None
    if known(a[2], b[2]):
        if not suits(a[2], b[2]):
            return None
        value = compute(a[2], b[2])
    plan.add("arithmetic", asked.format(a=a[1], b=b[1]), value)
    return template.format(a=a[0], b=b[0])


def addition(plan):
    return two_numbers(plan, SUMS, "What is {a} plus {b}?", lambda x, y: x + y)


def subtraction(plan):
    return two_numbers(plan, MINUS, "What is {a} minus {b}?", lambda x, y: x - y, lambda x, y: x >= y)


def difference(plan):
    return two_numbers(plan, DIFFERENCES, "What is the difference between {a} and {b}?", lambda x, y: abs(x - y))


def product(plan):
    return two_numbers(plan, PRODUCTS, "What is {a} times {b}?", lambda x, y: x * y, lambda x, y: min(x, y) < 100 and max(x, y) < 1000)


def larger(plan):
    return two_numbers(plan, LARGER, "Which is larger, {a} or {b}?", max, lambda x, y: x != y)


def smaller(plan):
    return two_numbers(plan, SMALLER, "Which is smaller, {a} or {b}?", min, lambda x, y: x != y)


def three(plan):
    """Two sums, or a sum and a difference, or a sum times a third number."""
    shape = plan.rng.choice(("+", "+", "-", "*"))
    a, b = number_fact(plan, False), number_fact(plan)
    if shape == "*":
        total = plan.add("arithmetic", f"What is {a[1]} plus {b[1]}?", a[2] + b[2] if known(a[2], b[2]) else None)
        c = literal(plan)
        template = "What is the sum of {a} and {b}, times {c}?" if plan.rng.random() < 0.5 else "Add {a} and {b}, then multiply by {c}."
        word = "times"
    else:
        c = number_fact(plan)
        total = plan.add("arithmetic", f"What is {a[1]} plus {b[1]}?", a[2] + b[2] if known(a[2], b[2]) else None)
        word = "plus" if shape == "+" else "minus"
        template = "What is {a} plus {b} " + word + " {c}?"
    value = None
    if known(total[1], c[2]):
        value = {"+": total[1] + c[2], "-": total[1] - c[2], "*": total[1] * c[2]}[shape]
        if value < 0 or total[1] > 999:
            return None
    plan.add("arithmetic", f"What is {total[0]} {word} {c[1]}?", value)
    return template.format(a=a[0], b=b[0], c=c[0])


def letters(plan):
    said, reference, value = text_fact(plan)
    template = plan.rng.choice(("How many letters are in {x}?", "How many letters does {x} have?", "How many letters are there in {x}?",
                                "How many letters are in the name of {x}?", "Count the letters in {x}."))
    plan.add("words", f"How many letters are in {reference}?", value and len(letters_of(value)))
    return template.format(x=said)


def vowels(plan):
    said, reference, value = text_fact(plan)
    plan.add("words", f"How many vowels are in {reference}?", value and sum(letter in VOWELS for letter in value))
    return plan.rng.choice(("How many vowels are in {x}?", "How many vowels does {x} have?", "Count the vowels in {x}.")).format(x=said)


def edge_letter(plan):
    said, reference, value = text_fact(plan)
    place = plan.rng.choice(("first", "last"))
    plan.add("words", f"What is the {place} letter of {reference}?", value and value[0 if place == "first" else -1])
    return plan.rng.choice(("What is the {p} letter of {x}?", "Give the {p} letter of {x}.", "Name the {p} letter of {x}.")).format(p=place, x=said)


def backwards(plan):
    said, reference, value = element_fact(plan)
    if len(value) > 12:
        return None
    plan.add("words", f"What is {reference} spelled backwards?", value[::-1])
    return plan.rng.choice(("What is {x} spelled backwards?", "Spell {x} backwards.", "Write {x} backwards.")).format(x=said)


def weekday(plan):
    """The weekday as many days on as some number says."""
    day = plan.rng.randrange(7)
    said, reference, value = number_fact(plan, False)
    if known(value) and not 2 <= value <= 130:
        return None
    plan.add("calendar", f"What day comes {reference} days after {DAYS[day]}?", value and DAYS[(day + value) % 7])
    return plan.rng.choice((
        "What day comes N days after {d}, where N is {x}?", "If N is {x}, what day comes N days after {d}?",
        "Which day of the week is N days after {d} if N is {x}?", "Today is {d}. What day is it after as many days as {x}?",
        "What weekday comes after {d} by as many days as {x}?")).format(d=DAYS[day], x=said)


def conversion(plan):
    large, small, factor = plan.rng.choice(FACTORS)
    xs, ys = UNITS[large][1], UNITS[small][1]
    said, reference, value = number_fact(plan, False)
    if known(value) and not 2 <= value <= (999 if factor in (3, 7, 10, 12, 100, 1000) else 99):
        return None
    plan.add("units", f"How many {ys} are in {reference} {xs}?", value and value * factor)
    return plan.rng.choice((
        "How many {ys} are in N {xs}, where N is {n}?", "If N is {n}, how many {ys} are in N {xs}?",
        "Convert as many {xs} as {n} to {ys}.", "How many {ys} are in as many {xs} as {n}?")).format(xs=xs, ys=ys, n=said)


def element_of_sum(plan):
    """The element whose atomic number has to be worked out."""
    a = number_fact(plan, False) if plan.rng.random() < 0.4 else literal(plan)
    b = literal(plan)
    if known(a[2]) and a[2] + b[2] > 118:
        return None
    value = a[2] + b[2] if known(a[2]) else None
    total = plan.add("arithmetic", f"What is {a[1]} plus {b[1]}?", value)
    plan.add("chemistry", f"Which element has atomic number {total[0]}?", value and ELEMENTS[value - 1]["name"])
    return plan.rng.choice((
        "Which element has the atomic number {a} plus {b}?", "Which element's atomic number is the sum of {a} and {b}?",
        "Name the element whose atomic number is {a} plus {b}.")).format(a=a[0], b=b[0])


def second_fact(plan):
    """A fact about a country that is known by its capital."""
    said, reference, country = country_fact(plan)
    column, lead = plan.rng.choice((("currency", "currency"), ("language", "main language"), ("largest city", "largest city")))
    row = next((row for row in COUNTRIES if row["country"] == country), {})
    if known(country) and column not in row:
        return None
    plan.add("geography", f"What is the {lead} of {reference}?", row.get(column))
    return plan.rng.choice(("What is the {l} of {x}?", "Name the {l} of {x}.", "Tell me the {l} of {x}.")).format(l=lead, x=said)


def single(plan):
    """Not composite at all: a plan of one step."""
    maker = plan.rng.choice((place_fact, country_fact, atomic_number, letters_of_name, month_length, unit_count))
    maker(plan)
    return plan.lines[0].split(": ", 1)[1]


def question(make, least=2):
    """Turn a maker into a generator of items."""
    def generate(rng):
        plan = Plan(rng)
        text = make(plan)
        if text is None or len(plan.lines) < least:
            return None
        reply = "\n".join(plan.lines)
        if plan.invented and is_held_out(reply):
            return None
        value = plan.values[-1]
        item = Item(vary(text[0].upper() + text[1:], rng, lower=False), reply, make.__name__, reply)
        item.final = None if value is None else str(value)
        item.final_grader = "number" if isinstance(value, int) else "text"
        return item
    return generate
