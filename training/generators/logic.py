"""Yes/no reading of short passages, classes, and boolean expressions, each step one that only looks up or compares.

What is said of a name stands two words behind it, in passages as in steps, and the word that decides is named last with
its verdict. "because" and a word before the passage give names the same piece everywhere.
"""
from generators.base import Item, vary

NAMES = ("Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate Otto Lena Hugo "
         "Ida Carl Vera Finn Zoe Noah Mila").split()
THINGS = "pens hats cups books shoes bags coats balls boxes cars gloves socks keys plates bikes".split()
FOODS = "rice soup bread cheese fish beans salad pasta honey corn".split()
# Fact sentences, each `name verb object`: what is said of a name always stands two words behind it.
FACTS = (
    ("{n} has {o}", "Does {n} have {o}?", THINGS),
    ("{n} bought {o}", "Did {n} buy {o}?", THINGS),
    ("{n} sold {o}", "Did {n} sell {o}?", THINGS),
    ("{n} likes {o}", "Does {n} like {o}?", FOODS),
    ("{n} eats {o}", "Does {n} eat {o}?", FOODS),
    ("{n} wants {o}", "Does {n} want {o}?", FOODS),
)
CLASSES = ("poets dancers farmers bakers pilots singers doctors teachers painters sailors cats dogs birds robots lions "
           "tigers horses rabbits dragons wizards").split()
LEADS = ("Read: {p} {q}", "Given: {p} {q}", "Passage: {p} Question: {q}", "Facts: {p} Question: {q}", "Read: {p} Question: {q}",
         "{p} {q}")


def passage(rng, sentences, question, answer, kind, steps, grader="boolean"):
    text = " ".join(sentence + "." for sentence in sentences)
    lead = rng.choice(LEADS).format(p=text, q=question)
    return Item(lead, answer, kind, f"logic:{text}:{question}", grader, steps)


def reading(rng):
    """Two to four facts about different people; one of them is asked about."""
    people = rng.sample(NAMES, rng.randint(2, 4))
    shapes = [rng.choice(FACTS) for _ in people]
    if rng.random() < 0.5:
        shapes = [shapes[0]] * len(people)
    objects = [rng.choice(shape[2]) for shape in shapes]
    sentences = [shape[0].format(n=name, o=o) for shape, name, o in zip(shapes, people, objects)]
    asked = rng.randrange(len(people))
    truth, said = rng.random() < 0.5, objects[asked]
    named = said
    if not truth:
        others = [o for o in objects if o != said and o in shapes[asked][2]]
        named = rng.choice(others if others and rng.random() < 0.6 else [o for o in shapes[asked][2] if o != said])
    question = shapes[asked][1].format(n=people[asked], o=named)
    answer = "yes" if truth else "no"
    return passage(rng, sentences, question, answer, "reading", f"because {people[asked]} {said}; {named} {answer}")


def classes(rng):
    """All A are B, no B are C: does someone belong to a class."""
    names = rng.sample(CLASSES, 4)
    length = rng.choice((1, 2))
    person = rng.choice(NAMES)
    sentences = [f"{person} joined {names[0]}"]
    sentences += [f"All {a} are {b}" for a, b in zip(names, names[1:length + 1])]
    negative = rng.random() < 0.5
    if negative:
        sentences.append(f"No {names[length]} are {names[length + 1]}")
    chain = f"{person} {' '.join(names[:length + 1])}" + (f" not {names[length + 1]}" if negative else "")
    rng.shuffle(sentences)
    if negative and rng.random() < 0.6:
        target, answer = names[length + 1], "no"
    else:
        target, answer = names[rng.randint(0, length)], "yes"
    question = f"Is {person} one of the {target}?"
    return passage(rng, sentences, question, answer, "classes", f"because {chain}; {target} {answer}")


def subclass(rng):
    """All A are B and all B are C: is it then so that all A are C, and the other way round?"""
    names = rng.sample(CLASSES, rng.choice((2, 3, 3, 4)))
    sentences = [f"All {a} are {b}" for a, b in zip(names, names[1:])]
    rng.shuffle(sentences)
    first, second = rng.sample(range(len(names)), 2)
    question = f"Are all {names[first]} {names[second]}?"
    answer = "yes" if first < second else "no"
    steps = f"{' '.join(names[first:])}; {names[second]} {answer}"
    return passage(rng, sentences, question, answer, "subclass", f"because {steps}")


def word(value):
    return "true" if value else "false"


def boolean(rng):
    """and, or, not over one to three values; the brackets are worked out first."""
    def literal():
        value, negated = rng.random() < 0.5, rng.random() < 0.35
        if not negated:
            return word(value), value, []
        return f"not {word(value)}", not value, [f"not {word(value)}={word(not value)}"]

    def pair(left, right):
        operator = rng.choice(("and", "or"))
        value = left[1] and right[1] if operator == "and" else left[1] or right[1]
        steps = left[2] + right[2] + [f"{word(left[1])} {operator} {word(right[1])}={word(value)}"]
        return f"{left[0]} {operator} {right[0]}", value, steps

    def bracketed(inner):
        if rng.random() < 0.3:
            return f"not ({inner[0]})", not inner[1], inner[2] + [f"not {word(inner[1])}={word(not inner[1])}"]
        return f"({inner[0]})", inner[1], inner[2]

    draw = rng.random()
    if draw < 0.15:
        whole = pair(literal(), literal())
    elif draw < 0.45:
        whole = pair(bracketed(pair(literal(), literal())), literal())
    elif draw < 0.7:
        whole = pair(literal(), bracketed(pair(literal(), literal())))
    else:
        whole = pair(bracketed(pair(literal(), literal())), bracketed(pair(literal(), literal())))
    text, value, steps = whole
    question = rng.choice(("What is {e}?", "Evaluate {e}.", "Is {e} true or false?", "{e} = ?", "What is the value of {e}?",
                           "Work out {e}.")).format(e=text)
    return Item(vary(question, rng), word(value), "boolean", f"logic:boolean:{text}", "choice", ", ".join(steps))
