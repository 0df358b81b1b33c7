"""What the generalist is taught: some kinds of every field, some countries, some elements. It is tested on everything."""
import hashlib

from generators import arithmetic as ar, calendar as ca, elements as el, geography as geo, logic as lo, units as un, words as wo
from generators.base import Field
from generators.word_problems import word_problem

KNOWN_COUNTRIES = [row for row in geo.COUNTRIES if hashlib.sha256(row["country"].encode()).digest()[0] < 140]
KNOWN_ELEMENTS = el.ELEMENTS[:64]


class Mixture:
    """Several fields as one: `draw` picks a field by weight; held-out questions come from `tested` in equal parts."""

    def __init__(self, taught, tested):
        self.taught, self.tested = taught, tested
        self.tag = "skill:general"

    def draw(self, rng, held_out=False):
        field = rng.choices([field for field, _ in self.taught], [weight for _, weight in self.taught])[0]
        return field.draw(rng, held_out)

    def held_out(self, rng, count):
        share = -(-count // len(self.tested))
        items = [item for field in self.tested for item in field.held_out(rng, share)]
        rng.shuffle(items)
        return items


def some(maker, accept):
    """A generator of only those items that are accepted."""
    def generate(rng):
        item = maker(rng)
        return item if item is not None and accept(item) else None
    return generate


def power_of_ten(item):
    """A conversion that only moves zeros."""
    return item.answer.strip("0") in item.question and "," not in item.steps


TAUGHT = (
    (Field("skill:arithmetic", {
        "addition": (3, ar.addition), "subtraction": (3, ar.subtraction), "comparison": (1, ar.larger),
        "word problem": (1.5, word_problem)}), 3),
    (Field("skill:geography", {kind: (1, geo.fact(kind, KNOWN_COUNTRIES)) for kind in geo.PHRASINGS}), 1.5),
    (Field("skill:chemistry", {kind: (1, el.fact(kind, KNOWN_ELEMENTS, el.NAME_LAST)) for kind in el.PHRASINGS}), 1.2),
    (Field("skill:words", {
        "letters": (3, wo.letters), "first letter": (1, wo.first_letter), "last letter": (1, wo.last_letter),
        "plural": (1.5, wo.form("plural", wo.NOUNS)), "past tense": (1.5, wo.form("past tense", wo.VERBS)),
        "sort": (1, wo.sort_three)}), 2.5),
    (Field("skill:calendar", {
        "day after": (3, ca.moved_day("day after", 1)), "next day": (1, ca.neighbour_day("next day", 1)),
        "previous day": (1, ca.neighbour_day("previous day", -1)), "days in month": (1, ca.days_in_month),
        "leap year": (1, ca.leap_year), "next month": (0.7, ca.neighbour_month("next month", 1)),
        "days between": (1.5, ca.days_between), "date after": (1.5, ca.date_after)}), 1.5),
    (Field("skill:units", {
        "down": (3, some(un.down, power_of_ten)), "up": (3, some(un.up, power_of_ten)), "factor": (1, un.factor)}), 1.2),
    (Field("skill:logic", {"reading": (2, lo.reading), "boolean": (1.5, lo.boolean)}), 2),
)
