"""A question with a proposed answer: the reviewer works out its own answer, lays the two side by side, then judges.

Only fields whose answers can be derived step by step, or are few enough to know, are reviewed: sums, differences,
comparisons and stories, units that only move zeros, plurals and past tenses. `(58+27: 8+7=15, 5+2+1=8; 85,86: 8=8,
5<6) wrong: 85` compares by the columns that arithmetic-a already knows.
"""
from generators import arithmetic as ar, units as un, words as wo
from generators.base import Field, Item
from generators.generalist import power_of_ten, some
from generators.word_problems import word_problem

LEADS = ("Question: {q}\nAnswer: {a}", "Question: {q}\nAnswer: {a}", "Question: {q} Answer: {a}", "{q} Answer: {a}",
         "Is this right? Question: {q} Answer: {a}", "Check the answer. Question: {q} Answer: {a}")
ENDINGS = ("s", "es", "ed", "d", "en", "ies", "ied")
REVIEWED = (
    (Field("skill:arithmetic", {
        "addition": (3, ar.addition), "subtraction": (3, ar.subtraction), "difference": (1, ar.difference),
        "expression": (2, ar.expression), "larger": (0.7, ar.larger), "smaller": (0.7, ar.smaller),
        "word problem": (2.5, word_problem)}), 3),
    (Field("skill:units", {
        "down": (1, some(un.down, power_of_ten)), "up": (1, some(un.up, power_of_ten))}), 0.9),
    (Field("skill:words", {
        "plural": (1, wo.form("plural", wo.NOUNS)), "past tense": (1, wo.form("past tense", wo.VERBS))}), 0.9),
)


def wrong_number(rng, answer):
    """Something a careless person could say: a number nearby, one digit changed, a zero too many or too few."""
    value, digits = int(answer), answer.lstrip("-")
    at = rng.randrange(len(digits))
    changed = digits[:at] + rng.choice("0123456789") + digits[at + 1:]
    return rng.choice((
        str(value + rng.choice((1, -1, 2, -2, 10, -10, 9, 100))), str(int(changed)), str(int(changed)),
        str(value * 10), str(value // 10) if value % 10 == 0 else str(value + 1), str(rng.randrange(10 ** len(digits)))))


def wrong_word(rng, item, other):
    """Another ending, a letter left out, or the form of another word."""
    draw, answer = rng.random(), item.answer
    if draw < 0.2 and other:
        return other.answer
    if draw < 0.4 and len(answer) > 3:
        at = rng.randrange(1, len(answer))
        return answer[:at] + answer[at + 1:]
    stem = item.key.split(":")[2]
    return stem if draw < 0.55 else (stem[:-1] if draw > 0.9 else stem) + rng.choice(ENDINGS)


def wrong_answer(rng, maker, item):
    """A proposal that is not the answer; None where none was found."""
    for _ in range(20):
        proposed = wrong_number(rng, item.answer) if item.grader == "number" else wrong_word(rng, item, maker(rng))
        if proposed != item.answer:
            return proposed
    return None


def beside(own, proposed, grader):
    """The two answers column by column until they differ; whole words only side by side."""
    if grader != "number":
        return f"{own},{proposed}: {'same' if own == proposed else 'differ'}"
    if own == proposed and own[0] != "-":
        return f"{own},{proposed}: " + ", ".join(f"{digit}={digit}" for digit in own)
    if own[0] != "-" and proposed[0] != "-":
        return ar.compare_steps(int(own), int(proposed))
    signs = ["-" if text[0] == "-" else "+" for text in (own, proposed)]
    head = f"{own},{proposed}: {signs[0]}{'=' if signs[0] == signs[1] else '>' if signs[0] == '+' else '<'}{signs[1]}"
    if signs[0] != signs[1]:
        return head
    return f"{head}, " + beside(own[1:], proposed[1:], "number").split(": ")[1]


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
        steps = f"{item.steps}; " if item.steps else ""
        text = rng.choice(LEADS).format(q=question, a=proposed)
        return Item(text, "correct" if right else f"wrong: {item.answer}", kind, item.key, "text",
                    steps + beside(item.answer, proposed, item.grader))
    return generate



def reviewing(fields):
    """Fields to be reviewed as one field, each kind by the weight of its field and its own."""
    return Field("skill:review", {
        f"{field.tag[6:]} {kind}": (weight * entry[0] / sum(w for w, _ in field.kinds.values()), review(field, kind))
        for field, weight in fields for kind, entry in field.kinds.items()
    })


REVIEWING = reviewing(REVIEWED)
REVIEWING_PRACTICE = reviewing((
    (Field("skill:arithmetic", {"subtraction": (2, ar.subtraction), "difference": (1, ar.difference)}), 1),
    (REVIEWED[1][0], 0.8),
    (REVIEWED[2][0], 2.2),
))
