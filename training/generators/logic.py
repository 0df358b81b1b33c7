"""Yes/no reading of short passages with the evidence named first, orders, classes, and boolean expressions."""
from generators.base import Item, vary

NAMES = ("Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate Otto Lena Hugo "
         "Ida Carl Vera Finn Zoe Noah Mila").split()
COLORS = "red blue green yellow black white brown pink grey purple".split()
THINGS = "pens hats cups books shoes bags coats balls boxes cars gloves socks keys plates bikes".split()
PLACES = "park school garden kitchen library station market museum harbour forest".split()
FOODS = "rice soup bread cheese fish beans salad pasta honey corn".split()
# Fact sentences: statement, yes/no question; every slot but the name can be the one that is asked wrongly.
FACTS = (
    ("{n} has {c} {t}", "Does {n} have {c} {t}?", ("c", "t")),
    ("{n} is in the {p}", "Is {n} in the {p}?", ("p",)),
    ("{n} likes {f}", "Does {n} like {f}?", ("f",)),
    ("{n} bought {c} {t}", "Did {n} buy {c} {t}?", ("c", "t")),
    ("{n} went to the {p}", "Did {n} go to the {p}?", ("p",)),
    ("{n} eats {f}", "Does {n} eat {f}?", ("f",)),
)
SLOTS = {"c": COLORS, "t": THINGS, "p": PLACES, "f": FOODS}
ORDERS = (("taller", "shorter", "tallest"), ("older", "younger", "oldest"), ("faster", "slower", "fastest"),
          ("heavier", "lighter", "heaviest"), ("richer", "poorer", "richest"))
CLASSES = ("poets dancers farmers bakers pilots singers doctors teachers painters sailors cats dogs birds robots lions "
           "tigers horses rabbits dragons wizards").split()
LEADS = ("Read: {p} {q}", "{p} {q}", "{p} {q}", "Passage: {p} Question: {q}", "{p} Question: {q}")


def passage(rng, sentences, question, answer, kind, steps, grader="boolean"):
    text = " ".join(sentence + "." for sentence in sentences)
    lead = rng.choice(LEADS).format(p=text, q=question)
    return Item(lead, answer, kind, f"logic:{text}:{question}", grader, steps)


def reading(rng):
    """Two to four facts about different people; one of them is asked about."""
    people = rng.sample(NAMES, rng.randint(2, 4))
    shapes = [rng.choice(FACTS) for _ in people]
    if rng.random() < 0.6:
        shapes = [shapes[0]] * len(people)
    facts = [dict(n=name, **{slot: rng.choice(words) for slot, words in SLOTS.items()}) for name in people]
    sentences = [shape[0].format(**fact) for shape, fact in zip(shapes, facts)]
    asked = rng.randrange(len(people))
    slots = dict(facts[asked])
    truth = rng.random() < 0.5
    if not truth:
        slot = rng.choice(shapes[asked][2])
        others = [fact[slot] for fact in facts if fact[slot] != slots[slot]]
        pool = others if others and rng.random() < 0.6 else [word for word in SLOTS[slot] if word != slots[slot]]
        slots[slot] = rng.choice(pool)
    question = shapes[asked][1].format(**slots)
    return passage(rng, sentences, question, "yes" if truth else "no", "reading", sentences[asked])


def order_sentences(rng):
    """A chain of comparisons, highest first, told in any order and direction."""
    people, words = rng.sample(NAMES, rng.choice((3, 3, 4))), rng.choice(ORDERS)
    sentences = []
    for high, low in zip(people, people[1:]):
        sentences.append(f"{high} is {words[0]} than {low}" if rng.random() < 0.6 else f"{low} is {words[1]} than {high}")
    rng.shuffle(sentences)
    return people, words, sentences


def order(rng):
    """Is X taller than Y: the chain is put together first."""
    people, words, sentences = order_sentences(rng)
    first, second = rng.sample(range(len(people)), 2)
    direction = rng.randrange(2)
    truth = (first < second) == (direction == 0)
    question = f"Is {people[first]} {words[direction]} than {people[second]}?"
    sign = ">" if first < second else "<"
    steps = f"{' > '.join(people)}, {people[first]} {sign} {people[second]}"
    return passage(rng, sentences, question, "yes" if truth else "no", "order", steps)


def extreme(rng):
    """Who is the tallest."""
    people, words, sentences = order_sentences(rng)
    question = f"Who is the {words[2]}?"
    return passage(rng, sentences, question, people[0], "extreme", " > ".join(people), "text")


def classes(rng):
    """All A are B, no B are C: does someone belong to a class."""
    names = rng.sample(CLASSES, 4)
    length = rng.choice((1, 2))
    person = rng.choice(NAMES)
    sentences = [f"{person} is one of the {names[0]}"]
    sentences += [f"All {a} are {b}" for a, b in zip(names, names[1:length + 1])]
    negative = rng.random() < 0.5
    if negative:
        sentences.append(f"No {names[length]} are {names[length + 1]}")
    chain = f"{person} > {' > '.join(names[:length + 1])}" + (f", not {names[length + 1]}" if negative else "")
    rng.shuffle(sentences)
    if negative and rng.random() < 0.6:
        target, answer = names[length + 1], "no"
    else:
        target, answer = names[rng.randint(0, length)], "yes"
    return passage(rng, sentences, f"Is {person} one of the {target}?", answer, "classes", chain)


def subclass(rng):
    """All A are B and all B are C: is it then so that all A are C, and the other way round?"""
    names = rng.sample(CLASSES, rng.choice((2, 3, 3, 4)))
    sentences = [f"All {a} are {b}" for a, b in zip(names, names[1:])]
    rng.shuffle(sentences)
    first, second = rng.sample(range(len(names)), 2)
    question = f"Are all {names[first]} {names[second]}?"
    sign = ">" if first < second else "<"
    steps = f"{' > '.join(names)}, {names[first]} {sign} {names[second]}"
    return passage(rng, sentences, question, "yes" if first < second else "no", "subclass", steps)


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
