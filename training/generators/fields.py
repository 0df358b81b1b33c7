"""The fields: which kinds make up each, and how often each is asked."""
from generators import arithmetic as ar, calendar as ca, elements as el, geography as geo, logic as lo, planning as pl
from generators import units as un, words as wo
from generators.base import Field
from generators.generalist import TAUGHT, Mixture
from generators.reviewing import REVIEWING, REVIEWING_PRACTICE
from generators.simple_math import simple_math
from generators.word_problems import word_problem

ARITHMETIC_A = Field("skill:arithmetic", {
    "addition": (3, ar.addition), "subtraction": (3, ar.subtraction), "difference": (1.5, ar.difference),
    "expression": (2.5, ar.expression), "comparison": (1, ar.larger), "comparison (smaller)": (0.5, ar.smaller),
    "word problem": (3, word_problem),
})
ARITHMETIC_B = Field("skill:arithmetic", {
    "multiplication": (4, ar.multiplication), "division": (2, ar.division), "remainder": (1.5, ar.remainder),
    "addition": (1.2, ar.addition), "subtraction": (0.8, ar.subtraction), "simple math": (1.3, simple_math),
})
HARD_DIVISORS = (6, 7, 8, 9, 11, 12)
ARITHMETIC_B_PRACTICE = Field("skill:arithmetic", {
    "division": (3, lambda rng: ar.division(rng, HARD_DIVISORS)), "remainder": (3, lambda rng: ar.remainder(rng, HARD_DIVISORS)),
    "subtraction": (2, ar.subtraction), "simple math": (2, simple_math),
})
GEOGRAPHY = Field("skill:geography", {
    "capital": (3, geo.fact("capital")), "country": (2, geo.fact("country")), "continent": (1.5, geo.fact("continent")),
    "currency": (1.5, geo.fact("currency")), "language": (1.5, geo.fact("language")),
    "largest city": (1.5, geo.fact("largest city")),
})
CHEMISTRY_WEIGHTS = {"number": 3, "name by number": 2, "symbol": 2, "name by symbol": 2, "group": 1.5, "period": 1, "category": 1.5}
CHEMISTRY = Field("skill:chemistry", {kind: (weight, el.fact(kind)) for kind, weight in CHEMISTRY_WEIGHTS.items()})
CHEMISTRY_SHORT = Field("skill:chemistry", {
    kind: (weight, el.fact(kind, phrasings=el.NAME_LAST)) for kind, weight in CHEMISTRY_WEIGHTS.items()})
WORDS = Field("skill:words", {
    "letters": (3, wo.letters), "vowels": (1, wo.vowels), "occurrences": (1, wo.occurrences),
    "first letter": (1, wo.first_letter), "last letter": (1, wo.last_letter), "nth letter": (1.5, wo.nth_letter),
    "reverse": (1.5, wo.reverse), "plural": (2, wo.form("plural", wo.NOUNS)), "past tense": (2, wo.form("past tense", wo.VERBS)),
    "order": (1.5, wo.first_in_order), "sort": (1, wo.sort_three), "longer": (0.7, wo.longer),
})
CALENDAR = Field("skill:calendar", {
    "day after": (4, ca.moved_day("day after", 1)), "day before": (2.5, ca.moved_day("day before", -1)),
    "next day": (1, ca.neighbour_day("next day", 1)), "previous day": (1, ca.neighbour_day("previous day", -1)),
    "days in month": (1, ca.days_in_month), "days in February": (1, ca.days_in_february), "leap year": (1.5, ca.leap_year),
    "next month": (0.7, ca.neighbour_month("next month", 1)), "previous month": (0.7, ca.neighbour_month("previous month", -1)),
    "month number": (0.5, ca.month_number), "nth month": (0.5, ca.nth_month), "days between": (2, ca.days_between),
    "date after": (2, ca.date_after), "duration": (2, ca.duration), "clock after": (1.5, ca.clock_after),
})
UNITS = Field("skill:units", {"down": (5, un.down), "up": (4, un.up), "factor": (0.8, un.factor)})
UNITS_PRACTICE = Field("skill:units", {
    "down": (5, lambda rng: un.down(rng, un.WORKED)), "up": (5, lambda rng: un.up(rng, un.WORKED))})
LOGIC = Field("skill:logic", {
    "reading": (4, lo.reading), "classes": (2, lo.classes), "subclass": (1.5, lo.subclass), "boolean": (3, lo.boolean),
})
LOGIC_PRACTICE = Field("skill:logic", {"reading": (2, lo.reading), "subclass": (3, lo.subclass)})
PLANNING = Field("skill:planning", {
    "sum": (4, pl.question(pl.addition)), "minus": (1.5, pl.question(pl.subtraction)), "difference": (2, pl.question(pl.difference)),
    "product": (2, pl.question(pl.product)), "larger": (1.5, pl.question(pl.larger)), "smaller": (1, pl.question(pl.smaller)),
    "three numbers": (2.5, pl.question(pl.three)), "letters": (2.5, pl.question(pl.letters)), "vowels": (1, pl.question(pl.vowels)),
    "edge letter": (1.2, pl.question(pl.edge_letter)), "backwards": (0.6, pl.question(pl.backwards)),
    "weekday": (1.5, pl.question(pl.weekday)), "conversion": (2, pl.question(pl.conversion)),
    "element of sum": (1.2, pl.question(pl.element_of_sum)), "second fact": (1.2, pl.question(pl.second_fact)),
    "single": (1, pl.question(pl.single, 1)),
})
GENERAL = Mixture(TAUGHT, (ARITHMETIC_A, GEOGRAPHY, CHEMISTRY_SHORT, WORDS, CALENDAR, UNITS, LOGIC))
