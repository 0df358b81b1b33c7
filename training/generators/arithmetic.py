"""Addition, subtraction, multiplication, division, comparison: each with its columns shown, units first.

A sum restates the two numbers and then adds column by column with the carry written out:
`(58+27: 8+7=15, 5+2+1=8) 85`. Everything else is built of such parts, joined by semicolons.
"""
from generators.base import Field, Item, phrase, vary

PHRASINGS = {
    "addition": [
        "What is {a} plus {b}?", "{a} + {b} = ?", "Add {b} to {a}.", "Calculate {a}+{b}.", "What is {a} + {b}?",
        "How much is {a} plus {b}?", "What is the sum of {a} and {b}?", "{a}+{b}", "Compute {a} + {b}.",
        "What do you get when you add {a} and {b}?", "{a} plus {b} equals what?", "Work out {a} + {b}.",
        "What is {a}+{b}?", "Find the sum of {a} and {b}.", "What is the total of {a} and {b}?",
    ],
    "subtraction": [
        "What is {a} minus {b}?", "{a} - {b} = ?", "Subtract {b} from {a}.", "Calculate {a}-{b}.", "What is {a} - {b}?",
        "How much is {a} minus {b}?", "Take {b} away from {a}.", "{a}-{b}", "Compute {a} - {b}.",
        "{a} minus {b} equals what?", "Work out {a} - {b}.", "What is {a}-{b}?", "What is left when you take {b} from {a}?",
    ],
    "difference": [
        "What is the difference between {a} and {b}?", "Find the difference between {a} and {b}.",
        "How far apart are {a} and {b}?", "What is the difference of {a} and {b}?",
    ],
    "expression": [
        "What is {e}?", "Calculate {e}.", "{e} = ?", "{e}", "Compute {e}.", "Work out {e}.", "Evaluate {e}.", "How much is {e}?",
    ],
    "larger": [
        "Which is larger, {a} or {b}?", "Which number is larger, {a} or {b}?", "Which is greater, {a} or {b}?",
        "Which is bigger, {a} or {b}?", "What is the larger of {a} and {b}?", "What is the maximum of {a} and {b}?",
    ],
    "smaller": [
        "Which is smaller, {a} or {b}?", "Which number is smaller, {a} or {b}?", "Which is less, {a} or {b}?",
        "What is the smaller of {a} and {b}?", "What is the minimum of {a} and {b}?",
    ],
    "multiplication": [
        "What is {a} times {b}?", "{a} * {b} = ?", "Multiply {a} by {b}.", "Calculate {a}*{b}.", "What is {a} * {b}?",
        "How much is {a} times {b}?", "What is the product of {a} and {b}?", "{a}*{b}", "Compute {a} * {b}.",
        "What is {a} multiplied by {b}?", "{a} times {b} equals what?", "Work out {a} x {b}.", "What is {a}*{b}?",
    ],
    "division": [
        "What is {a} divided by {b}?", "{a} / {b} = ?", "Divide {a} by {b}.", "Calculate {a}/{b}.", "What is {a} / {b}?",
        "How much is {a} divided by {b}?", "{a}/{b}", "Compute {a} / {b}.", "{a} divided by {b} equals what?",
        "Work out {a} / {b}.", "How many times does {b} go into {a}?",
    ],
    "remainder": [
        "What is the remainder when {a} is divided by {b}?", "What is {a} mod {b}?", "Find the remainder of {a} divided by {b}.",
        "What is left over when you divide {a} by {b}?",
    ],
}


def columns(a, b):
    """Digit pairs, units first, both numbers padded to the longer one."""
    length = max(len(str(a)), len(str(b)))
    return list(zip(reversed(str(a).zfill(length)), reversed(str(b).zfill(length))))


def add_steps(a, b):
    """`58+27: 8+7=15, 5+2+1=8`."""
    parts, carry = [], 0
    for x, y in columns(a, b):
        total = int(x) + int(y) + carry
        parts.append(f"{x}+{y}{'+1' if carry else ''}={total}")
        carry = total // 10
    return f"{a}+{b}: " + ", ".join(parts)


def subtract_steps(a, b):
    """`52-27: 2-7+10=5, 5-2-1=2`; a negative difference is computed the other way round and its sign put back."""
    if a < b:
        return f"{a}-{b}: {subtract_steps(b, a)}, -{b - a}"
    parts, borrow = [], 0
    for x, y in columns(a, b):
        digit = int(x) - int(y) - borrow
        parts.append(f"{x}-{y}{'-1' if borrow else ''}{'+10' if digit < 0 else ''}={digit % 10}")
        borrow = digit < 0
    return f"{a}-{b}: " + ", ".join(parts)


def times_digit_steps(a, digit):
    """`58*7: 8*7=56, 5*7+5=40`."""
    parts, carry = [], 0
    for x in reversed(str(a)):
        total = int(x) * digit + carry
        parts.append(f"{x}*{digit}{f'+{carry}' if carry else ''}={total}")
        carry = total // 10
    return f"{a}*{digit}: " + ", ".join(parts)


def multiply_steps(a, b):
    """One row per digit of b, units first; the second row is shifted by a zero and added."""
    if b < 10:
        return times_digit_steps(a, b)
    tens, units = divmod(b, 10)
    first, second = a * units, a * tens * 10
    return f"{a}*{b}: {times_digit_steps(a, units)}; {times_digit_steps(a, tens)}; {add_steps(first, second)}"


def divide_steps(a, b):
    """Long division, highest digit first: `406/7: 4=0*7+4, 40=5*7+5, 56=8*7+0`."""
    parts, rest = [], 0
    for digit in str(a):
        rest = rest * 10 + int(digit)
        parts.append(f"{rest}={rest // b}*{b}+{rest % b}")
        rest %= b
    return f"{a}/{b}: " + ", ".join(parts)


def compare_steps(a, b):
    """Columns from the highest until they differ: `126,119: 1=1, 2>1`."""
    length = max(len(str(a)), len(str(b)))
    left, right, parts = str(a).zfill(length), str(b).zfill(length), []
    for x, y in zip(left, right):
        parts.append(f"{x}{'=' if x == y else '>' if x > y else '<'}{y}")
        if x != y:
            break
    return f"{left},{right}: " + ", ".join(parts)


def number(rng, digits=(0.3, 0.4, 0.3)):
    """A number of one, two or three digits."""
    length = rng.choices((1, 2, 3), digits)[0]
    return rng.randrange(10 ** (length - 1) if length > 1 else 0, 10 ** length)


def spread(rng):
    """A pair of operands: every mixture of lengths, longer ones more often."""
    return number(rng, (0.2, 0.4, 0.4)), number(rng, (0.3, 0.4, 0.3))


def two(kind, key_sorted=False):
    """The shared shape of all two-number kinds: phrase, vary, key by operands."""
    def make(rng, a, b, answer, steps):
        index, question = phrase(PHRASINGS, kind, rng, a=a, b=b)
        operands = sorted((a, b)) if key_sorted else (a, b)
        return Item(vary(question, rng), str(answer), kind, f"{kind}:{operands[0]},{operands[1]}", "number", steps)
    return make


def addition(rng):
    a, b = spread(rng)
    return two("addition", True)(rng, a, b, a + b, add_steps(a, b))


def subtraction(rng):
    a, b = spread(rng)
    if a < b and rng.random() < 0.8:
        a, b = b, a
    return two("subtraction")(rng, a, b, a - b, subtract_steps(a, b))


def difference(rng):
    a, b = spread(rng)
    steps = f"{compare_steps(a, b)}; {subtract_steps(max(a, b), min(a, b))}"
    return two("difference", True)(rng, a, b, abs(a - b), steps)


def larger(rng):
    a, b = comparable(rng)
    return two("larger", True)(rng, a, b, max(a, b), compare_steps(a, b))


def smaller(rng):
    a, b = comparable(rng)
    return two("smaller", True)(rng, a, b, min(a, b), compare_steps(a, b))


def comparable(rng):
    """Two different numbers, often close to one another."""
    while True:
        a = number(rng)
        b = number(rng) if rng.random() < 0.6 else max(0, a + rng.randint(-30, 30))
        if a != b and b < 1000:
            return a, b


def chain_steps(terms):
    """`12+30: ...; 42-7: ...`: each step starts from the result before; (sign, number) terms, the first positive."""
    total, parts = terms[0][1], []
    for sign, value in terms[1:]:
        parts.append(add_steps(total, value) if sign == "+" else subtract_steps(total, value))
        total += value if sign == "+" else -value
    return "; ".join(parts), total


def expression(rng):
    """Three or four terms of up to two digits, never below zero on the way."""
    terms, total = [("+", rng.randrange(100))], 0
    total = terms[0][1]
    for _ in range(rng.choice((2, 2, 3))):
        value = rng.randrange(100) if rng.random() < 0.6 else rng.randrange(10)
        sign = "-" if value <= total and rng.random() < 0.5 else "+"
        total += value if sign == "+" else -value
        terms.append((sign, value))
    space = rng.choice((" ", ""))
    text = str(terms[0][1]) + "".join(f"{space}{sign}{space}{value}" for sign, value in terms[1:])
    steps, total = chain_steps(terms)
    _, question = phrase(PHRASINGS, "expression", rng, e=text)
    return Item(vary(question, rng), str(total), "expression", "expression:" + text.replace(" ", ""), "number", steps)


def multiplication(rng):
    draw = rng.random()
    if draw < 0.2:
        a, b = rng.randrange(10), rng.randrange(10)
    elif draw < 0.55:
        a, b = number(rng, (0, 0.5, 0.5)), rng.randrange(2, 10)
    else:
        a, b = number(rng, (0.1, 0.7, 0.2)), rng.randrange(10, 100)
    first, second = (b, a) if a < b else (a, b)
    steps = multiply_steps(first, second)
    if rng.random() < 0.5:
        a, b = b, a
    return two("multiplication", True)(rng, a, b, a * b, steps)


def division(rng, divisors=range(2, 13)):
    b = rng.choice(divisors)
    quotient = number(rng, (0.3, 0.6, 0.1))
    a = b * quotient
    if a > 999:
        return None
    return two("division")(rng, a, b, quotient, divide_steps(a, b))


def remainder(rng, divisors=range(2, 13)):
    a, b = number(rng, (0.1, 0.5, 0.4)), rng.choice(divisors)
    return two("remainder")(rng, a, b, a % b, divide_steps(a, b))
