"""Noun phrases that name a text or a number, with the plan steps that find its value.

Some training questions name invented entities: copying must not depend on knowing the name.
"""
from generators.calendar import LENGTHS, MONTHS
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
