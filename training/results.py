"""Write the results table of README.md from the cards: between the two `results` marks."""
import json
import pathlib
import re

from recipes import RECIPES

HERE = pathlib.Path(__file__).parent
MARKS = "<!-- results -->", "<!-- /results -->"


def steps(recipe):
    """Steps of a recipe together with those it starts from."""
    return recipe.steps + (steps(RECIPES[recipe.start]) if recipe.start else 0)


def main():
    rows = ["| model | parameters | tokenizer | steps | seed | held-out, exact answer |", "| --- | --- | --- | --- | --- | --- |"]
    for path in sorted((HERE.parent / "models").glob("*/card.json")):
        card = json.loads(path.read_text())
        recipe = RECIPES[card["name"]]
        measured = "; ".join(f"{entry['tag'].removeprefix('skill:')} {100 * entry['accuracy']:.1f} % of {entry['n']} "
                             f"({100 * entry['interval'][0]:.1f}-{100 * entry['interval'][1]:.1f})" for entry in card["measured"])
        rows.append(f"| `{card['name']}` | {card['parameters'] / 1e6:.2f} M | {recipe.tokenizer}, "
                    f"{card['tokenizer']['vocabularySize']} | {steps(recipe)} | {card['seed']} | {measured} |")
    readme = HERE / "README.md"
    block = "\n".join([MARKS[0], *rows, MARKS[1]])
    readme.write_text(re.sub(f"{MARKS[0]}.*{MARKS[1]}", lambda _: block, readme.read_text(), flags=re.S))


if __name__ == "__main__":
    main()
