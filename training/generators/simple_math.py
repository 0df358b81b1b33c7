"""SimpleMath, the expression set of the DuetNet paper: a+b*c+d-e*f with integers from 0 to 30."""
from generators.arithmetic import PHRASINGS, add_steps, multiply_steps, subtract_steps
from generators.base import Item, phrase, vary


def product_steps(a, b):
    return multiply_steps(max(a, b), min(a, b))


def simple_math(rng):
    """Both products first, then from left to right; only the last difference may be negative."""
    a, b, c, d, e, f = (rng.randint(0, 30) for _ in range(6))
    first, second = b * c, e * f
    steps = "; ".join((product_steps(b, c), product_steps(e, f), add_steps(a, first), add_steps(a + first, d),
                       subtract_steps(a + first + d, second)))
    text = f"{a}+{b}*{c}+{d}-{e}*{f}"
    _, question = phrase(PHRASINGS, "expression", rng, e=text)
    return Item(vary(question, rng), str(a + first + d - second), "simple math", f"simple:{text}", "number", steps)
