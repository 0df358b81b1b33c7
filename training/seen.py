"""Look for held-out questions among training items: `python3 seen.py [--draws 300000] [name ...]`; fails if one is met.

A key that says more than its question, or less than a reader sees, would let a question be trained on and tested. The
questions are those of heldout.jsonl, capitals and last marks aside; the items are drawn as training draws them.
"""
import argparse
import json
import pathlib
import random
import sys

from recipes import RECIPES

MODELS = pathlib.Path(__file__).parent.parent / "models"


def plain(question):
    """A question as people would call it the same."""
    return " ".join(question.lower().rstrip(" ?.").split())


def recipes_of(name):
    """The recipe of a model and those that it starts from."""
    recipe = RECIPES[name]
    return [recipe, *(recipes_of(recipe.start) if recipe.start else ())]


def seen(name, draws):
    """The held-out questions that are met among so many training items of each recipe."""
    held = {plain(json.loads(line)["question"]) for line in (MODELS / name / "heldout.jsonl").read_text().splitlines()}
    met = set()
    for recipe in recipes_of(name):
        rng = random.Random(recipe.seed)
        for _ in range(draws):
            question = plain(recipe.draw(rng).question)
            if question in held:
                met.add(question)
    return len(held), sorted(met)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--draws", type=int, default=300_000)
    options = parser.parse_args()
    failed = False
    for name in options.names or sorted(path.parent.name for path in MODELS.glob("*/heldout.jsonl")):
        count, met = seen(name, options.draws)
        failed |= bool(met)
        print(f"{name}: {len(met)} of {count} held-out questions met", *met[:5], sep="\n  " if met else " ", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
