"""Write the card template of a model from its recipe, its file and what evaluate.mjs measured."""
import hashlib
import json
import os
import pathlib
import sys

import torch

from model import Llama
from recipes import RECIPES
from texts import TEXTS
from train import WORK

MODELS = pathlib.Path(__file__).parent.parent / "models"
TOKENIZERS = {"qwen2": "byte-level BPE, single digits (pre qwen2)", "llama-bpe": "byte-level BPE, digits in threes (pre llama-bpe)",
              "bytes": "bytes (BPE without merges)", "spm": "SentencePiece, byte fallback, single digits",
              "spm-chars": "SentencePiece, single characters, byte fallback"}

# Models divide arithmetic between them; a finer tag says which operations a model was measured on.
OPERATIONS = {"skill:addition": ("addition", "subtraction", "difference", "expression", "word problem"),
              "skill:multiplication": ("multiplication", "division", "remainder")}
ENOUGH = 200  # questions that a finer tag must rest on


def interval(correct, n, z=1.96):
    """Wilson's 95 % interval of a share."""
    p, scale = correct / n, 1 + z * z / n
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return [round((middle - half) / scale, 4), round((middle + half) / scale, 4)]


def operations(kinds):
    """Finer tags of arithmetic with what was measured of their kinds together."""
    for tag, names in OPERATIONS.items():
        counted = [kind for kind in kinds if kind["kind"].removeprefix("arithmetic ") in names]
        n, correct = sum(kind["n"] for kind in counted), sum(kind["correct"] for kind in counted)
        if n >= ENOUGH:
            yield {"tag": tag, "n": n, "correct": correct, "accuracy": round(correct / n, 4),
                   "interval": interval(correct, n), "grader": "exact final answer"}


def refine(card):
    """Adds the finer tags to a card, in place."""
    for entry in operations(card["measuredByKind"]):
        card["measured"].append(entry)
        card["tags"].insert(-1, entry["tag"])


def main(name):
    recipe, folder = RECIPES[name], MODELS / name
    shape = torch.load(os.path.join(WORK, f"{name}.pt"))["shape"]
    with open(os.path.join(WORK, f"{name}.measured.json")) as file:
        measured = json.load(file)
    fields = ("n", "correct", "accuracy", "interval")
    tags = [entry for entry in measured if entry["key"].startswith("tag ")]
    kinds = sorted((entry for entry in measured if entry["key"].startswith("kind ")), key=lambda entry: entry["key"])
    card = {
        "name": name,
        "description": TEXTS[name][0],
        "license": "MIT",
        "tags": [entry["key"][4:] for entry in sorted(tags, key=lambda entry: entry["key"])] + ["lang:en"],
        "contextLength": shape["context"],
        "parameters": Llama(**shape).parameter_count(),
        "quantization": "Q8_0",
        "tokenizer": {"kind": TOKENIZERS[recipe.tokenizer], "vocabularySize": shape["vocabulary"]},
        "cannot": TEXTS[name][1],
        "seed": recipe.seed,
        "sha256": hashlib.sha256((folder / f"{name}.gguf").read_bytes()).hexdigest(),
        "measured": [{"tag": entry["key"][4:], **{key: entry[key] for key in fields}, "grader": "exact final answer"}
                     for entry in tags],
        "measuredByKind": [{"kind": entry["key"][5:], **{key: entry[key] for key in fields}} for entry in kinds],
    }
    refine(card)
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
