"""Everyday addition and subtraction stories with one or two steps."""
from generators.arithmetic import add_steps, chain_steps, subtract_steps
from generators.base import Item

NAMES = ("Tom Anna Ben Maria Sam Lucy Omar Nina Paul Emma Ali Rosa Jack Mei Leo Sara Max Julia Ivan Kate").split()
THINGS = ("apples books pens coins cards marbles stickers eggs shells stamps oranges pencils balls sweets "
          "flowers cookies").split()
STORIES = {
    "+": [
        "{n} has {a} {t} and buys {b} more. How many {t} does {n} have now?",
        "{n} has {a} {t}. {m} gives {n} {b} more {t}. How many {t} does {n} have?",
        "{n} has {a} {t} and {m} has {b} {t}. How many {t} do they have together?",
        "There are {a} {t} in one box and {b} {t} in another box. How many {t} are there in total?",
        "{n} found {a} {t} on Monday and {b} {t} on Tuesday. How many {t} did {n} find in all?",
        "A shop sold {a} {t} in the morning and {b} {t} in the afternoon. How many {t} did it sell?",
        "{n} read {a} pages yesterday and {b} pages today. How many pages did {n} read?",
        "{m} has {b} more {t} than {n}. {n} has {a} {t}. How many {t} does {m} have?",
    ],
    "-": [
        "{n} has {a} {t} and gives {b} to {m}. How many {t} does {n} have left?",
        "{n} had {a} {t} and lost {b} of them. How many {t} are left?",
        "There are {a} {t} in a box. {n} takes {b} {t} out. How many {t} are still in the box?",
        "{n} has {a} {t}. {m} has {b} fewer {t} than {n}. How many {t} does {m} have?",
        "A shop had {a} {t} and sold {b} of them. How many {t} remain?",
        "{n} wants {a} {t} and already has {b}. How many more {t} does {n} need?",
        "A book has {a} pages. {n} has read {b} pages. How many pages are left?",
        "{n} baked {a} cookies and ate {b} of them. How many cookies are left?",
    ],
    "++": [
        "{n} has {a} {t}, buys {b} more and finds {c} more. How many {t} does {n} have now?",
        "There are {a} red, {b} blue and {c} green {t}. How many {t} are there in all?",
    ],
    "+-": [
        "{n} has {a} {t}, buys {b} more and then gives {c} to {m}. How many {t} does {n} have left?",
        "A bus has {a} people. {b} people get on and {c} people get off. How many people are on the bus?",
    ],
    "--": [
        "{n} has {a} {t}, gives {b} to {m} and loses {c}. How many {t} does {n} have left?",
        "A shop had {a} {t}. It sold {b} on Monday and {c} on Tuesday. How many {t} remain?",
    ],
}
SHAPES = ("+", "-", "++", "+-", "--")


def word_problem(rng):
    """One story; the key is the template with the numbers that it shows."""
    shape = rng.choices(SHAPES, (4, 4, 1, 1, 1))[0]
    index = rng.randrange(len(STORIES[shape]))
    a, b, c = (rng.randrange(2, 100) for _ in range(3))
    if shape[0] == "-" and a < b:
        a, b = b, a
    rest = a + b if shape[0] == "+" else a - b
    if len(shape) == 2 and shape[1] == "-" and c > rest:
        return None
    n, m = rng.sample(NAMES, 2)
    question = STORIES[shape][index].format(a=a, b=b, c=c, n=n, m=m, t=rng.choice(THINGS))
    if len(shape) == 1:
        steps = add_steps(a, b) if shape == "+" else subtract_steps(a, b)
        answer = rest
    else:
        steps, answer = chain_steps([("+", a), (shape[0], b), (shape[1], c)])
    shown = (a, b, c)[:len(shape) + 1]
    key = f"word:{shape}{index}:{','.join(map(str, shown))}"
    return Item(question, str(answer), "word problem", key, "number", steps)
