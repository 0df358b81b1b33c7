"""Start a training from a file that was shipped: its Q8_0 weights and its tokenizer, as train.py keeps them.

A recipe names the file as git does, `<commit>:models/<name>/<name>.gguf`, so that it stays the same when the model is
trained anew. Byte-level tokenizers only. gguf-py is looked for in $GGUF_PY (see README.md).
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import torch

sys.path.insert(0, os.environ.get("GGUF_PY", "/tmp/modelnet-training/llama.cpp/gguf-py"))
import gguf  # noqa: E402
from gguf.quants import dequantize  # noqa: E402

from tokenizers import Bpe  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
PART = {"attn_norm": "attention_norm", "ffn_norm": "ffn_norm", "attn_q": "q", "attn_k": "k", "attn_v": "v",
        "attn_output": "o", "ffn_gate": "gate", "ffn_up": "up", "ffn_down": "down"}


def parameter_name(name):
    """GGUF's word for a tensor in ours: the other way round than export_gguf.py."""
    if name.startswith("blk."):
        _, index, part, _ = name.split(".")
        return f"blocks.{index}.{PART[part]}.weight"
    return {"token_embd.weight": "embedding.weight", "output_norm.weight": "norm.weight"}[name]


def shipped(revision):
    """(tokenizer, state) of a model file in the history of this repository."""
    data = subprocess.run(["git", "show", revision], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.gguf"
        path.write_bytes(data)
        reader = gguf.GGUFReader(str(path))
        # copies, since the reader maps the file
        state = {parameter_name(t.name): torch.tensor(dequantize(t.data, t.tensor_type).copy()) for t in reader.tensors}
        return tokenizer_of(reader), state


def tokenizer_of(reader):
    """The byte-level tokenizer of a file."""
    def strings(key):
        field = reader.fields[f"tokenizer.ggml.{key}"]
        return [bytes(field.parts[index]).decode() for index in field.data]
    kind, = strings("pre")
    assert strings("model") == ["gpt2"], "only byte-level tokenizers can be read back"
    return Bpe.restored(kind, strings("tokens"), [tuple(merge.split(" ")) for merge in strings("merges")])
