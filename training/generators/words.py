"""Questions about single words: letters, vowels, order, plural, past tense.

Whatever needs counting or turning round is spelled out with an index first: `(P1 a2 r3 i4 s5) 5`.
"""
import pathlib

from generators.base import Item, phrase, vary
from generators.elements import NAMES
from generators.geography import COUNTRIES

TABLES = pathlib.Path(__file__).parent.parent / "tables"
VOWELS = "aeiouAEIOU"
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth").split()
ORDINALS_SHORT = "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th".split()
PHRASINGS = {
    "letters": [
        "How many letters are in {w}?", "How many letters are in the word {w}?", "How many letters does {w} have?",
        "How many letters does the word {w} have?", "Count the letters in {w}.", "What is the number of letters in {w}?",
        "What is the number of letters in the word {w}?", "Count the letters of {w}.", "How long is the word {w}?",
        "How many letters are there in {w}?", "Number of letters in {w}?",
    ],
    "vowels": [
        "How many vowels are in {w}?", "How many vowels are in the word {w}?", "How many vowels does {w} have?",
        "Count the vowels in {w}.", "What is the number of vowels in {w}?", "How many vowels are there in {w}?",
    ],
    "occurrences": [
        "How many times does the letter {l} occur in {w}?", "How often does the letter {l} appear in {w}?",
        "How many times does {l} appear in the word {w}?", "Count the letter {l} in {w}.", "How many {l}'s are in {w}?",
    ],
    "first letter": [
        "What is the first letter of {w}?", "What is the first letter in {w}?", "Which letter does {w} start with?",
        "What letter does {w} begin with?", "What is the first letter of the word {w}?", "Name the first letter of {w}.",
        "Give the first letter of {w}.", "With which letter does {w} begin?",
    ],
    "last letter": [
        "What is the last letter of {w}?", "What is the last letter in {w}?", "Which letter does {w} end with?",
        "What letter does {w} end with?", "What is the last letter of the word {w}?", "Name the last letter of {w}.",
        "Give the last letter of {w}.", "With which letter does {w} end?",
    ],
    "nth letter": [
        "What is the {o} letter of {w}?", "What is the {o} letter in {w}?", "Give the {o} letter of {w}.",
        "What is the {o} letter of the word {w}?", "Name the {o} letter of {w}.", "Which letter is the {o} in {w}?",
    ],
    "reverse": [
        "Reverse the word {w}.", "Reverse {w}.", "Spell {w} backwards.", "Write {w} backwards.", "What is {w} spelled backwards?",
        "What is {w} backwards?", "Write the word {w} in reverse.",
    ],
    "plural": [
        "What is the plural of {w}?", "Give the plural of {w}.", "What is the plural form of {w}?", "Plural of {w}?",
        "What is the plural of the word {w}?", "Write the plural of {w}.", "How do you say more than one {w}?",
        "One {w}, two what?",
    ],
    "past tense": [
        "What is the past tense of {w}?", "Give the past tense of {w}.", "What is the past tense of the verb {w}?",
        "Past tense of {w}?", "Write the past tense of {w}.", "Put {w} into the past tense.", "What is the simple past of {w}?",
        "Today I {w}, yesterday I what?",
    ],
    "first in order": [
        "Which word comes first in alphabetical order, {a} or {b}?", "Which comes first alphabetically, {a} or {b}?",
        "Which word comes first in the dictionary, {a} or {b}?", "Alphabetically, which is first: {a} or {b}?",
        "Which is first in alphabetical order, {a} or {b}?",
    ],
    "sort": [
        "Put these words in alphabetical order: {l}.", "Sort these words alphabetically: {l}.",
        "Write in alphabetical order: {l}.", "Order these words alphabetically: {l}.", "Sort alphabetically: {l}.",
    ],
    "longer": [
        "Which word is longer, {a} or {b}?", "Which is longer, {a} or {b}?", "Which word has more letters, {a} or {b}?",
        "Which has more letters, {a} or {b}?",
    ],
}


def read_words(name):
    """The words of a table, comments left out."""
    lines = (TABLES / name).read_text().splitlines()
    return " ".join(line for line in lines if not line.startswith("#")).split()


def plural(noun):
    """The regular rule."""
    if noun.endswith(("s", "x", "ch", "sh", "z")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def past(verb):
    """The regular rule; a plus sign marks a doubled last letter."""
    if verb.endswith("+"):
        return verb[:-1] + verb[-2] + "ed"
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ied"
    return verb + "ed"


def inflected(name, rule):
    """Pairs (base, form) of a table."""
    pairs = []
    for entry in read_words(name):
        base, _, form = entry.partition("/")
        pairs.append((base.rstrip("+"), form or rule(base)))
    return pairs


NOUNS, VERBS = inflected("nouns.txt", plural), inflected("verbs.txt", past)
PLACES = sorted({row[key] for row in COUNTRIES for key in ("country", "capital", "largest city", "currency", "language")
                 if key in row})
COMMON = sorted({word for pair in NOUNS + VERBS for word in pair} | set(NAMES))
SYLLABLES = "a e i o u ba be bi co da de fa ge ha in ka la le li lo ma me mi na ne no or pa per po ra re ri ro sa se si ta te ti to ul un va ve vi wa za th sh ch st tr br ck ng nd".split()


def any_word(rng):
    """A place, a common word, or an invented one: spelling must not depend on knowing the word."""
    draw = rng.random()
    if draw < 0.35:
        return rng.choice(PLACES)
    if draw < 0.7:
        word = rng.choice(COMMON)
        return word if rng.random() < 0.8 else word.capitalize()
    word = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 5)))
    return (word if len(word) > 2 else word + "to") if rng.random() < 0.7 else (word + "n").capitalize()


def single(rng):
    """A word without a space."""
    while True:
        word = any_word(rng)
        if word.isalpha():
            return word


def letters_of(word):
    return [letter for letter in word if letter.isalpha()]


def spelled(word):
    """`P1 a2 r3 i4 s5`; spaces and apostrophes are not counted."""
    return " ".join(f"{letter}{index}" for index, letter in enumerate(letters_of(word), 1))


def make(kind, rng, word, answer, steps="", grader="text", key="", **slots):
    """A question about one word; `Wave` and `wave` have one key, since people type both."""
    index, question = phrase(PHRASINGS, kind, rng, w=word, **slots)
    if rng.random() < 0.15 and "{w}" in PHRASINGS[kind][index]:
        question = question.replace(word, f'"{word}"') if word in question else question
    question = vary(question, rng, lower=False)
    return Item(question, answer, kind, f"words:{kind}:{word.lower()}:{key}", grader, steps)


def letters(rng):
    word = any_word(rng)
    return make("letters", rng, word, str(len(letters_of(word))), spelled(word), "number")


def vowels(rng):
    """Vowels get a running number, other letters none."""
    word, count, parts = any_word(rng), 0, []
    for letter in letters_of(word):
        count += letter in VOWELS
        parts.append(f"{letter}{count}" if letter in VOWELS else letter)
    return make("vowels", rng, word, str(count), " ".join(parts), "number")


def occurrences(rng):
    word, count, parts = single(rng).lower(), 0, []
    target = rng.choice(word) if rng.random() < 0.8 else rng.choice("aeinorst")
    for letter in word:
        count += letter == target
        parts.append(f"{letter}{count}" if letter == target else letter)
    return make("occurrences", rng, word, str(count), f"{target}: {' '.join(parts)}", "number", target, l=target)


def first_letter(rng):
    word = any_word(rng)
    return make("first letter", rng, word, word[0])


def last_letter(rng):
    word = any_word(rng)
    return make("last letter", rng, word, word[-1], spelled(word))


def nth_letter(rng):
    word = single(rng)
    place = rng.randint(2, min(10, len(word)))
    ordinal = rng.choice((ORDINALS, ORDINALS_SHORT))[place - 1]
    steps = f"{place}: {spelled(word[:place])}"
    return make("nth letter", rng, word, word[place - 1], steps, key=str(place), o=ordinal)


def reverse(rng):
    word = single(rng).lower()
    if len(word) > 12:
        return None
    back = " ".join(reversed(spelled(word).split()))
    return make("reverse", rng, word, word[::-1], f"{spelled(word)}, {back}")


def form(kind, pairs):
    """Plural or past tense: the pair (word, phrasing) is the key."""
    def generate(rng):
        word, answer = rng.choice(pairs)
        index, question = phrase(PHRASINGS, kind, rng, w=word)
        return Item(vary(question, rng, lower=False), answer, kind, f"words:{kind}:{word}:{index}")
    return generate


def pair_of_words(rng):
    """Two different lower-case words, often with the same beginning."""
    while True:
        first = single(rng).lower()
        second = single(rng).lower()
        if rng.random() < 0.4:
            keep = rng.randint(1, 3)
            second = first[:keep] + second
        if first[:len(second)] != second and second[:len(first)] != first and max(len(first), len(second)) < 13:
            return first, second


def first_in_order(rng):
    """Letters are compared pair by pair until they differ: `c=c, a<o`."""
    first, second = pair_of_words(rng)
    parts = []
    for x, y in zip(first, second):
        parts.append(f"{x}{'=' if x == y else '<' if x < y else '>'}{y}")
        if x != y:
            break
    _, question = phrase(PHRASINGS, "first in order", rng, a=first, b=second)
    key = ",".join(sorted((first, second)))
    return Item(vary(question, rng, lower=False), min(first, second), "order", f"words:order:{key}", "text", ", ".join(parts))


def sort_three(rng):
    """Three words with different first letters: the letters are sorted first."""
    words = [rng.choice(COMMON) for _ in range(3)]
    heads = [word[0] for word in words]
    if len(set(heads)) < 3:
        return None
    _, question = phrase(PHRASINGS, "sort", rng, l=", ".join(words))
    steps = f"{' '.join(heads)}: {' '.join(sorted(heads))}"
    return Item(vary(question, rng, lower=False), ", ".join(sorted(words)), "order", "words:sort:" + ",".join(sorted(words)),
                "text", steps)


def longer(rng):
    first, second = pair_of_words(rng)
    if len(first) == len(second):
        return None
    _, question = phrase(PHRASINGS, "longer", rng, a=first, b=second)
    sign = "<" if len(first) < len(second) else ">"
    steps = f"{spelled(first)}, {spelled(second)}, {len(first)}{sign}{len(second)}"
    key = ",".join(sorted((first, second)))
    return Item(vary(question, rng, lower=False), max(first, second, key=len), "longer", f"words:longer:{key}", "text", steps)
