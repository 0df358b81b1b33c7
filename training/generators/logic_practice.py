"""Practice for logic, never tested: the same looking up and comparing, several times in one question.

A question of the field has one thing to look up and one verdict; here are up to seven of each, which is what it takes for
so small a model to learn to look up at all.
"""
from generators.base import Field, Item
from generators.logic import CLASSES, FACTS, NAMES, SLOTS, order


def verdict(slots, fact, checked):
    """`red yes, pens no`, up to the first difference."""
    words = []
    for slot in checked:
        same = slots[slot] == fact[slot]
        words.append(f"{slots[slot]} {'yes' if same else 'no'}")
        if not same:
            break
    return ", ".join(words)


def several(rng):
    """Facts about four to six people, three or four questions about them."""
    people = rng.sample(NAMES, rng.randint(4, 6))
    facts = [(rng.choice(FACTS), dict(n=name, **{slot: rng.choice(words) for slot, words in SLOTS.items()})) for name in people]
    sentences = [shape[0].format(**fact) for shape, fact in facts]
    questions, steps = [], []
    for index in rng.sample(range(len(people)), rng.choice((3, 4))):
        shape, fact = facts[index]
        asked = dict(fact)
        if rng.random() < 0.5:
            slot = rng.choice(shape[2])
            told = [other[slot] for _, other in facts] if rng.random() < 0.6 else SLOTS[slot]
            asked[slot] = rng.choice([word for word in told if word != fact[slot]] or [word for word in SLOTS[slot] if word != fact[slot]])
        questions.append(shape[1].format(**asked))
        steps.append(f"{sentences[index]}; {verdict(asked, fact, shape[2])}")
    text = " ".join(sentence + "." for sentence in sentences)
    answer = steps[-1].rsplit(" ", 1)[1]
    return Item(f"{text} {' '.join(questions)}", answer, "several", f"practice:{text}", steps=f"because {'; '.join(steps)}")


def chain(rng):
    """A walk of up to seven words, then which words it met."""
    classes = rng.random() < 0.6
    words = rng.sample(CLASSES if classes else NAMES, 9)
    length, start = rng.randint(4, 7), rng.choice((0, 0, 1, 2))
    row, sign = words[:length], ">" if classes else "<"
    sentences = [f"All {a} are {b}." if classes else f"Then {a} < {b}." for a, b in zip(row, row[1:])]
    rng.shuffle(sentences)
    asked = rng.sample(words, 5)
    verdicts = [f"{word} {'yes' if word in row[start + 1:] else 'no'}" for word in asked]
    walk = f" {sign} ".join(row[start:])
    text = f"{' '.join(sentences)} {row[start]}: {', '.join(asked)}?"
    return Item(text, verdicts[-1].split()[1], "chain", f"practice:{text}", steps=f"because from {walk}; {', '.join(verdicts)}")


PRACTICE = Field("skill:logic", {"several": (3, several), "chain": (3, chain), "order": (1, order)})
