"""Composite questions and their plans: one line per step, `skill: sub-question`, `$n` for the answer of step n.

The sub-questions use phrasings the specialists know. The key is the plan itself, so a held-out question combines
entities in a way that was never trained on. Some training questions name invented entities: copying must not
depend on knowing the name; they are never held out, because nobody could answer them.
"""
from generators.base import Item, is_held_out, vary
from generators.calendar import DAYS, LENGTHS, MONTHS
from generators.elements import ELEMENTS
from generators.geography import COUNTRIES, with_article
from generators.units import FACTORS, UNITS
from generators.words import COMMON, SYLLABLES, VOWELS, letters_of

INVENTED_SHARE = 0.15


class Plan:
    """Steps with their true values while a question is being put together; None marks an unknowable value."""

    def __init__(self, rng):
        self.rng, self.lines, self.values, self.invented = rng, [], [], False

    def add(self, skill, question, value):
        """Append a step; its reference."""
        self.lines.append(f"{skill}: {question}")
        self.values.append(value)
        return f"${len(self.lines)}", value

    def invent(self):
        """Whether the next entity shall be an invented one."""
        chosen = self.rng.random() < INVENTED_SHARE
        self.invented |= chosen
        return chosen

    def name(self, capital):
        word = "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(2, 4)))
        return word.capitalize() if capital else word

    def country(self, column):
        """(name as said in a sentence, value of the column)."""
        if self.invent():
            return self.name(True), None
        row = self.rng.choice([row for row in COUNTRIES if column in row])
        return with_article(row["country"]), row[column]

    def element(self):
        if self.invent():
            return self.name(False), None
        element = self.rng.choice(ELEMENTS)
        return element["name"], element


# Noun phrases that name a text; each gives (phrase, reference or literal, value).

def place_fact(plan):
    column, said, asked = plan.rng.choice((
        ("capital", "the capital of {c}", "What is the capital of {c}?"), ("capital", "the capital of {c}", "What is the capital of {c}?"),
        ("capital", "the capital city of {c}", "What is the capital of {c}?"),
        ("largest city", "the largest city of {c}", "What is the largest city of {c}?"),
        ("largest city", "the biggest city in {c}", "What is the largest city of {c}?"),
        ("currency", "the currency of {c}", "What is the currency of {c}?"),
        ("language", "the main language of {c}", "What is the main language of {c}?"),
        ("continent", "the continent of {c}", "What is the continent of {c}?"),
    ))
    country, value = plan.country(column)
    return said.format(c=country), *plan.add("geography", asked.format(c=country), value)


def country_fact(plan):
    row = plan.rng.choice([row for row in COUNTRIES if "capital" in row])
    city, value = (plan.name(True), None) if plan.invent() else (row["capital"], row["country"])
    said = plan.rng.choice(("the country whose capital is {x}", "the country with the capital {x}"))
    return said.format(x=city), *plan.add("geography", f"What is the country whose capital is {city}?", value)


def element_fact(plan):
    element = plan.rng.choice(ELEMENTS)
    if plan.rng.random() < 0.5:
        said = plan.rng.choice(("the element with atomic number {z}", "the element that has atomic number {z}", "element number {z}"))
        return said.format(z=element["z"]), *plan.add("chemistry", f"Which element has atomic number {element['z']}?", element["name"])
    said = plan.rng.choice(("the element with the symbol {s}", "the element whose symbol is {s}"))
    return said.format(s=element["symbol"]), *plan.add("chemistry", f"Which element has the symbol {element['symbol']}?", element["name"])


def text_fact(plan):
    return plan.rng.choices((place_fact, element_fact, country_fact), (6, 2, 1))[0](plan)


# Noun phrases that name a number.

def atomic_number(plan):
    name, element = plan.element()
    said = plan.rng.choice(("the atomic number of {e}", "the atomic number of {e}", "the number of protons in {e}"))
    return said.format(e=name), *plan.add("chemistry", f"What is the atomic number of {name}?", element and element["z"])


def table_place(plan):
    name, element = plan.element()
    column = plan.rng.choice(("period", "group"))
    if element and element[column] is None:
        column = "period"
    said = plan.rng.choice((f"the {column} of {name}", f"the {column} number of {name}"))
    return said, *plan.add("chemistry", f"Which {column} is {name} in?", element and element[column])


def letters_of_fact(plan):
    said, reference, value = text_fact(plan)
    lead = plan.rng.choice(("the number of letters in ", "the number of letters in ", "the number of letters of ", "the length of ",
                            "the number of letters in the name of "))
    return lead + said, *plan.add("words", f"How many letters are in {reference}?", value and len(letters_of(value)))


def vowels_of_fact(plan):
    said, reference, value = text_fact(plan)
    count = value and sum(letter in VOWELS for letter in value)
    return "the number of vowels in " + said, *plan.add("words", f"How many vowels are in {reference}?", count)


def letters_of_name(plan):
    draw = plan.rng.random()
    if draw < 0.4:
        word, _ = plan.country("country")
        word = word.removeprefix("the ")
    elif draw < 0.6:
        word, _ = plan.element()
    else:
        word = plan.rng.choice(COMMON)
    lead = plan.rng.choice(("the number of letters in the word ", "the number of letters in "))
    return lead + word, *plan.add("words", f"How many letters are in {word}?", len(letters_of(word)))


def month_length(plan):
    month = plan.rng.choice([index for index in range(12) if index != 1])
    return f"the number of days in {MONTHS[month]}", *plan.add("calendar", f"How many days are in {MONTHS[month]}?", LENGTHS[month])


def unit_count(plan):
    large, small, factor = plan.rng.choice([row for row in FACTORS if row[2] <= 60])
    n = plan.rng.randint(2, 12)
    said = f"the number of {UNITS[small][1]} in {n} {UNITS[large][1]}"
    return said, *plan.add("units", f"How many {UNITS[small][1]} are in {n} {UNITS[large][1]}?", n * factor)


def literal(plan):
    n = plan.rng.randint(2, 50)
    return str(n), str(n), n


NUMBERS = ((atomic_number, 6), (letters_of_fact, 6), (letters_of_name, 2), (table_place, 1), (vowels_of_fact, 1), (month_length, 1),
           (unit_count, 1), (literal, 1))


def number_fact(plan, stated=True):
    """Any noun phrase for a number; `stated` allows a plain numeral."""
    makers = [entry for entry in NUMBERS if stated or entry[0] is not literal]
    return plan.rng.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0](plan)


def known(*values):
    return all(value is not None for value in values)


# Whole questions: each returns the question, or None where the values do not suit.

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
        item = Item(vary(text[0].upper() + text[1:], rng, lower=False), reply, make.__name__, reply, "plan")
        item.final = None if value is None else str(value)
        item.final_grader = "number" if isinstance(value, int) else "text"
        return item
    return generate
