"""Write a model's held-out questions: `python3 heldout.py arithmetic-a` -> ../models/<name>/heldout.jsonl.

Also leaves the trained tokenizer's ids for the same questions in the work folder, so that evaluate.mjs can check
that llama.cpp splits them alike (a wrong pre-tokenizer fails silently).
"""
import json
import os
import pathlib
import random
import sys

from recipes import RECIPES
from train import WORK, load_tokenizer

MODELS = pathlib.Path(__file__).parent.parent / "models"


def first_seed(recipe):
    """The seed of the first recipe in a row of starts: longer training keeps its questions."""
    return first_seed(RECIPES[recipe.start]) if recipe.start else recipe.seed


def main(name):
    recipe = RECIPES[name]
    tokenizer = load_tokenizer(name)
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    items = recipe.field.held_out(random.Random(first_seed(recipe) + 2000), recipe.held_out)
    rows, checks = [], []
    for index, item in enumerate(items):
        rows.append({"id": f"{name}-{index + 1}", "question": item.question, "answer": item.answer, "grader": item.grader,
                     "tag": item.tag or recipe.field.tag, "kind": item.kind})
        row, prompt = tokenizer.dialogue(item.question, item.reply)
        checks.append({"ids": row, "prompt": prompt, "reply": item.reply})
    with open(folder / "heldout.jsonl", "w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with open(os.path.join(WORK, f"{name}.checks.json"), "w") as file:
        json.dump({"specials": [tokenizer.bos, tokenizer.question, tokenizer.answer, tokenizer.end], "rows": checks}, file)


if __name__ == "__main__":
    main(sys.argv[1])
