"""Write ../models/composite.jsonl: composite questions held out from the planner's training, answers computed."""
import json
import pathlib
import random

from generators.fields import PLANNING

COUNT, SEED = 500, 4000
FILE = pathlib.Path(__file__).parent.parent / "models" / "composite.jsonl"


def main():
    rng, rows, seen = random.Random(SEED), [], set()
    while len(rows) < COUNT:
        item = PLANNING.draw(rng, True)
        plan = item.answer.split("\n")
        if len(plan) < 2 or item.key in seen:
            continue
        seen.add(item.key)
        rows.append({"id": f"composite-{len(rows) + 1}", "question": item.question, "answer": item.final,
                     "grader": item.final_grader, "tag": "skill:planning", "kind": item.kind, "plan": plan})
    FILE.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


if __name__ == "__main__":
    main()
