"""Write phrasings.json: every phrasing table of the generators, so that ports of them can be checked."""
import json
import pathlib

from generators import arithmetic, calendar, elements, geography, logic, planning, reviewing, units, word_problems, words


def main():
    tables = {
        "arithmetic": {**arithmetic.PHRASINGS, **{f"word problem {k}": v for k, v in word_problems.STORIES.items()}},
        "geography": geography.PHRASINGS, "chemistry": elements.PHRASINGS, "words": words.PHRASINGS,
        "calendar": calendar.PHRASINGS, "units": units.PHRASINGS,
        "logic": {"facts": [list(fact[:2]) for fact in logic.FACTS], "leads": logic.LEADS},
        "planning": {"sums": planning.SUMS, "minus": planning.MINUS, "differences": planning.DIFFERENCES,
                     "products": planning.PRODUCTS, "larger": planning.LARGER, "smaller": planning.SMALLER},
        "review": {"leads": reviewing.LEADS},
    }
    path = pathlib.Path(__file__).parent / "phrasings.json"
    path.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
