"""Country facts from tables/countries.txt: capital, continent, currency, language, largest city."""
import pathlib

from generators.base import Item, phrase, vary

TABLE = pathlib.Path(__file__).parent.parent / "tables" / "countries.txt"
COLUMNS = ("country", "capital", "continent", "currency", "language", "largest city")
WITH_ARTICLE = {"Bahamas", "Dominican Republic", "Gambia", "Ivory Coast", "Maldives", "Netherlands", "Philippines",
                "Seychelles", "United Arab Emirates", "United Kingdom", "United States"}
PHRASINGS = {
    "capital": [
        "What is the capital of {c}?", "Which city is the capital of {c}?", "Name the capital of {c}.", "{c}: capital?",
        "What is the capital city of {c}?", "Tell me the capital of {c}.", "The capital of {c} is which city?",
        "What city is the capital of {c}?", "What's the capital of {c}?", "Give the capital of {c}.",
    ],
    "country": [
        "{x} is the capital of which country?", "Which country has {x} as its capital?", "Which country's capital is {x}?",
        "What country is {x} the capital of?", "Of which country is {x} the capital?", "Name the country whose capital is {x}.",
        "What is the country whose capital is {x}?", "Which country has the capital {x}?",
    ],
    "continent": [
        "On which continent is {c}?", "Which continent is {c} in?", "What continent is {c} in?", "Name the continent of {c}.",
        "What is the continent of {c}?", "{c} is on which continent?", "In which continent does {c} lie?",
        "Which continent does {c} belong to?",
    ],
    "currency": [
        "What is the currency of {c}?", "Which currency is used in {c}?", "What currency does {c} use?",
        "Name the currency of {c}.", "What money is used in {c}?", "What do people pay with in {c}?",
        "Which currency does {c} have?", "What's the currency of {c}?",
    ],
    "language": [
        "What language is spoken in {c}?", "What is the main language of {c}?", "Which language do people speak in {c}?",
        "What is the official language of {c}?", "Name the main language of {c}.", "Which language is spoken in {c}?",
        "What language do they speak in {c}?", "What is the language of {c}?",
    ],
    "largest city": [
        "What is the largest city of {c}?", "Which city is the largest in {c}?", "What is the biggest city in {c}?",
        "Name the largest city of {c}.", "What is the largest city in {c}?", "Which is the biggest city of {c}?",
        "What city is the largest in {c}?", "What's the largest city in {c}?",
    ],
}


def read_table():
    """Rows as dictionaries; a dash means that the fact is left out."""
    rows = []
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            rows.append({name: value for name, value in zip(COLUMNS, line.split("|")) if value != "-"})
    return rows


COUNTRIES = read_table()


def with_article(country):
    """How the country is named inside a sentence."""
    return f"the {country}" if country in WITH_ARTICLE else country


def fact(kind, rows=None):
    """A generator of questions of one kind over some of the table's rows."""
    source = [row for row in rows or COUNTRIES if ("capital" if kind == "country" else kind) in row]

    def make(rng):
        row = rng.choice(source)
        country = row["country"]
        index, question = phrase(PHRASINGS, kind, rng, c=with_article(country), x=row.get("capital", ""))
        question = question[0].upper() + question[1:]
        return Item(vary(question, rng), row[kind], kind, f"geography:{kind}:{country}:{index}")
    return make
