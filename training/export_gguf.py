"""Write a trained model as GGUF (Q8_0), with its tokenizer, chat template and limits in the metadata.

`python3 export_gguf.py arithmetic-a`: reads the checkpoint of train.py, writes ../models/<name>/<name>.gguf.
gguf-py is looked for in $GGUF_PY, by default llama.cpp's own copy (see README.md).
"""
import os
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, os.environ.get("GGUF_PY", "/tmp/modelnet-training/llama.cpp/gguf-py"))
import gguf  # noqa: E402
from gguf.quants import quantize  # noqa: E402

from tokenizers import CONTROLS  # noqa: E402
from train import WORK, load_tokenizer  # noqa: E402

MODELS = pathlib.Path(__file__).parent.parent / "models"
# No system role: such messages are left out. The first token is written by the template itself, because some
# runtimes do not add it.
TEMPLATE = ("{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|q|>' + "
            "message['content'] + '<|a|>' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + "
            "eos_token }}{% endif %}{% endfor %}")
BLOCK = {"attention_norm": "attn_norm", "ffn_norm": "ffn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v",
         "o": "attn_output", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}


def tensor_name(name):
    """Our parameter name in GGUF's words."""
    if name.startswith("blocks."):
        _, index, part, _ = name.split(".")
        return f"blk.{index}.{BLOCK[part]}.weight"
    return {"embedding.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]


def write_tokenizer(writer, tokenizer):
    """Pieces, their types, merges or scores, and the special ids."""
    types = []
    for piece in tokenizer.pieces:
        if piece in CONTROLS:
            types.append(gguf.TokenType.CONTROL)
        elif piece == "<unk>":
            types.append(gguf.TokenType.UNKNOWN)
        elif tokenizer.scores() and piece.startswith("<0x") and len(piece) == 6:
            types.append(gguf.TokenType.BYTE)
        else:
            types.append(gguf.TokenType.NORMAL)
    if tokenizer.scores():
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_scores(tokenizer.scores())
        writer.add_unk_token_id(0)
        writer.add_add_space_prefix(False)
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("llama-bpe" if tokenizer.kind == "llama-bpe" else "qwen2")
        writer.add_token_merges([f"{a} {b}" for a, b in tokenizer.merges])
    writer.add_token_list(tokenizer.pieces)
    writer.add_token_types(types)
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.end)
    writer.add_eot_token_id(tokenizer.end)
    writer.add_pad_token_id(tokenizer.end)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE)


def main(name):
    tokenizer = load_tokenizer(name)
    saved = torch.load(os.path.join(WORK, f"{name}.pt"))
    shape, state = saved["shape"], saved["state"]
    assert shape["vocabulary"] == len(tokenizer.pieces), "the recipe changed since the training"
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(folder / f"{name}.gguf"), "llama")
    writer.add_name(name)
    writer.add_license("mit")
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["inner"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(shape["vocabulary"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    write_tokenizer(writer, tokenizer)
    for key, value in state.items():
        array = value.float().numpy()
        if array.ndim == 2:
            data = quantize(array, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor_name(key), data, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(tensor_name(key), array.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(folder / f"{name}.gguf", (folder / f"{name}.gguf").stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1])
