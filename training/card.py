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
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
