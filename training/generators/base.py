"""What every question generator shares: the item, the phrasing tables, and the held-out rule."""
import hashlib
from dataclasses import dataclass

HELD_OUT_SHARE = 26  # of 256 hash values: about one key in ten is never trained on


@dataclass
class Item:
    """One question with its answer; `steps` is the worked part shown in parentheses before the answer."""

    question: str
    answer: str
    kind: str
    key: str
    grader: str = "text"
    steps: str = ""
    tag: str = ""

    @property
    def reply(self):
        """The whole text a model is trained to say."""
        return f"({self.steps}) {self.answer}" if self.steps else self.answer


def is_held_out(key):
    """The split rule: it looks at the canonical key only, so no phrasing variant of a held-out question leaks."""
    return hashlib.sha256(key.encode()).digest()[0] < HELD_OUT_SHARE


def vary(question, rng, lower=True):
    """Small differences in how people type: no final mark, no capital, all lower case (where that keeps the sense)."""
    draw = rng.random()
    if draw < 0.10 and question[-1] in "?.":
        question = question[:-1].rstrip()
    if 0.06 < draw < 0.14:
        question = question[0].lower() + question[1:]
    elif lower and 0.14 < draw < 0.20:
        question = question.lower()
    return question


def phrase(table, kind, rng, **slots):
    """Pick one phrasing of a kind: (index, filled question)."""
    index = rng.randrange(len(table[kind]))
    return index, table[kind][index].format(**slots)


class Field:
    """A field of questions: a tag and a weighted table of kinds, each a function of a random generator."""

    def __init__(self, tag, kinds, phrasings=None):
        self.tag = tag
        self.kinds = kinds
        self.phrasings = phrasings or {}
        self._names = list(kinds)
        self._weights = [weight for weight, _ in kinds.values()]

    def draw(self, rng, held_out=False, kind=None):
        """An item from the wanted side of the split."""
        while True:
            name = kind or rng.choices(self._names, self._weights)[0]
            item = self.kinds[name][1](rng)
            if item is not None and is_held_out(item.key) == held_out:
                item.kind = name
                item.tag = item.tag or self.tag
                return item

    def held_out(self, rng, count):
        """`count` different held-out questions, kinds in proportion to their weights."""
        seen, items = set(), []
        total = sum(self._weights)
        for name, weight in zip(self._names, self._weights):
            wanted, misses = round(count * weight / total), 0
            while wanted > 0 and misses < 3000:
                item = self.draw(rng, True, name)
                if item.question in seen:
                    misses += 1
                    continue
                seen.add(item.question)
                items.append(item)
                wanted -= 1
        while len(items) < count:
            item = self.draw(rng, True)
            if item.question not in seen:
                seen.add(item.question)
                items.append(item)
        rng.shuffle(items)
        return items[:count]
