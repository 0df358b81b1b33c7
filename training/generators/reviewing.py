"""A question with a proposed answer: the reviewer works out its own answer in parentheses, then judges."""
from generators import arithmetic as ar, calendar as ca, elements as el, geography as geo, units as un, words as wo
from generators.base import Field, Item
from generators.generalist import power_of_ten, some

LEADS = ("Question: {q} Answer: {a}", "Question: {q} Answer: {a}", "Question: {q}\nAnswer: {a}", "{q} Answer: {a}",
         "Review this answer. Question: {q} Answer: {a}", "Question: {q} Proposed answer: {a}", "Is this right? {q} {a}",
         "Check the answer. Question: {q} Answer: {a}")
OPPOSITE = {"yes": "no", "no": "yes", "true": "false", "false": "true"}


def small_product(rng):
    """Times one digit only."""
    item = ar.multiplication(rng)
    return item if ";" not in item.steps else None


REVIEWED = (
    (Field("skill:arithmetic", {
        "addition": (3, ar.addition), "subtraction": (3, ar.subtraction), "comparison": (1, ar.larger),
        "multiplication": (2, small_product)}), 3),
    (Field("skill:geography", {
        "capital": (3, geo.fact("capital")), "country": (1, geo.fact("country")), "continent": (1, geo.fact("continent")),
        "currency": (1, geo.fact("currency")), "language": (1, geo.fact("language"))}), 3),
    (Field("skill:chemistry", {
        "number": (3, el.fact("number", phrasings=el.NAME_LAST)), "name by number": (1, el.fact("name by number", phrasings=el.NAME_LAST)), "symbol": (1.5, el.fact("symbol", phrasings=el.NAME_LAST)),
        "name by symbol": (1.5, el.fact("name by symbol", phrasings=el.NAME_LAST)), "category": (1, el.fact("category", phrasings=el.NAME_LAST))}), 3),
    (Field("skill:words", {
        "plural": (1, wo.form("plural", wo.NOUNS)), "past tense": (1, wo.form("past tense", wo.VERBS))}), 1.2),
    (Field("skill:calendar", {
        "day after": (3, ca.moved_day("day after", 1)), "next day": (0.7, ca.neighbour_day("next day", 1)),
        "days in month": (1, ca.days_in_month), "leap year": (1, ca.leap_year)}), 1.5),
    (Field("skill:units", {"down": (1, some(un.down, power_of_ten)), "up": (1, some(un.up, power_of_ten))}), 1),
)


def wrong_answer(rng, maker, item):
    """Something a careless person could say: a number nearby or with one digit changed, or another item's answer."""
    for _ in range(20):
        if item.answer in OPPOSITE:
            return OPPOSITE[item.answer]
        if item.grader == "number" and rng.random() < 0.8:
            value = int(item.answer)
            change = rng.choice((1, -1, 2, -2, 10, -10, 100 if abs(value) > 99 else 3, -9))
            proposed = str(value + change)
        else:
            other = maker(rng)
            proposed = other.answer if other else item.answer
        if proposed != item.answer:
            return proposed
    return None


def review(field, kind):
    """A reviewing generator over one kind of a field."""
    maker = field.kinds[kind][1]

    def generate(rng):
        item = maker(rng)
        if item is None:
            return None
        right = rng.random() < 0.5
        proposed = item.answer if right else wrong_answer(rng, maker, item)
        if proposed is None:
            return None
        question = item.question if item.question[-1] in "?." else item.question + "?"
        steps = f"{item.steps}; {item.answer}" if item.steps else item.answer
        text = rng.choice(LEADS).format(q=question, a=proposed)
        return Item(text, "correct" if right else f"wrong: {item.answer}", kind, item.key, "text", steps)
    return generate


REVIEWING = Field("skill:review", {
    f"{field.tag[6:]} {kind}": (weight * entry[0] / sum(w for w, _ in field.kinds.values()), review(field, kind))
    for field, weight in REVIEWED for kind, entry in field.kinds.items()
})
