"""Write held-out questions that heldout.jsonl does not have: `python3 questions.py FOLDER [--seed 99] [--count 400]`.

One file a field, FOLDER/<name>.jsonl, for benchmarks that must not repeat the questions a default was chosen on. Like
those of heldout.jsonl they are of items that training never draws. Fields of few facts give fewer than asked for.
"""
import argparse
import json
import pathlib
import random

from recipes import RECIPES

MODELS = pathlib.Path(__file__).parent.parent / "models"
# So many draws in a row without a question that is new.
MISSES = 3000


def known(name):
    """The questions that were measured on already."""
    file = MODELS / name / "heldout.jsonl"
    return {json.loads(line)["question"] for line in file.read_text().splitlines()}


def fresh(name, seed, count):
    """Rows of new questions, kinds in proportion to their weights."""
    field, rng, seen, rows, misses = RECIPES[name].field, random.Random(seed), known(name), [], 0
    while len(rows) < count and misses < MISSES:
        item = field.draw(rng, True)
        misses = misses + 1 if item.question in seen else 0
        if misses == 0:
            seen.add(item.question)
            rows.append({"id": f"{name}-{seed}-{len(rows) + 1}", "question": item.question, "answer": item.answer,
                         "grader": item.grader, "tag": item.tag or field.tag, "kind": item.kind})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--count", type=int, default=400)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(path.parent.name for path in MODELS.glob("*/heldout.jsonl") if path.parent.name in RECIPES):
        rows = fresh(name, options.seed, options.count)
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (options.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        print(name, len(rows))


if __name__ == "__main__":
    main()
