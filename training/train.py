"""Train one specialist: `python3 train.py arithmetic-a`. Writes <name>.pt and its tokenizer to the work folder.

A recipe that starts from another one trains that first, unless its checkpoint is already in the work folder.
"""
import argparse
import os
import random
import time

import torch
from torch.nn import functional as F

from model import Llama
from optimizer import Optimizer
from recipes import RECIPES
from tokenizers import make_tokenizer

WORK = os.environ.get("MODELNET_TRAINING", "/tmp/modelnet-training")
QUESTION_WEIGHT = 0.1  # the question is worth a little: it teaches the vocabulary
POOL = 48  # batches drawn at once and sorted by length, so that little padding is computed


def build_tokenizer(recipe):
    """The tokenizer is trained on a sample of the field's own text, from the recipe's seed."""
    rng = random.Random(recipe.seed)
    texts = []
    for _ in range(recipe.tokenizer_sample):
        item = recipe.field.draw(rng)
        texts += [item.question, item.reply]
    return make_tokenizer(recipe.tokenizer, texts, recipe.vocabulary)


def load_tokenizer(name):
    """The tokenizer the checkpoint was trained with."""
    return torch.load(os.path.join(WORK, f"{name}.tokenizer.pt"))


def batches(recipe, tokenizer, rng):
    """Endless batches (ids, loss weights) of rows of similar length, about `batch_tokens` tokens each."""
    while True:
        rows, total = [], 0
        while total < POOL * recipe.batch_tokens:
            item = recipe.draw(rng)
            row = tokenizer.dialogue(item.question, item.reply)
            if len(row[0]) <= recipe.context:
                rows.append(row)
                total += len(row[0])
        rows.sort(key=lambda row: len(row[0]))
        groups, group = [], []
        for row in rows:
            if group and (len(group) + 1) * len(row[0]) > recipe.batch_tokens:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
        rng.shuffle(groups)
        for group in groups:
            yield pack(group, tokenizer.end)


def pack(group, padding):
    """Pad rows to one length; padding has weight 0."""
    length = max(len(ids) for ids, _ in group)
    ids = torch.full((len(group), length), padding)
    weight = torch.zeros(len(group), length)
    for index, (row, prompt) in enumerate(group):
        ids[index, :len(row)] = torch.tensor(row)
        weight[index, 1:prompt] = QUESTION_WEIGHT
        weight[index, prompt:len(row)] = 1
    return ids, weight


@torch.no_grad()
def exact_by_kind(model, tokenizer, items):
    """Share of held-out replies a greedy decoder gets wholly right, by kind (teacher forcing: same thing)."""
    model.eval()
    tally = {}
    for start in range(0, len(items), 32):
        part = items[start:start + 32]
        ids, weight = pack([tokenizer.dialogue(i.question, i.reply) for i in part], tokenizer.end)
        guess = model(ids[:, :-1]).argmax(-1)
        wrong = ((guess != ids[:, 1:]) & (weight[:, 1:] == 1)).any(1).tolist()
        for item, bad in zip(part, wrong):
            right, count = tally.get(item.kind, (0, 0))
            tally[item.kind] = (right + (not bad), count + 1)
    model.train()
    return tally


def whole(step, steps):
    """Short warm-up, a plateau, then a straight line to zero."""
    return min(1, (step + 1) / 50, (steps - step) / (0.6 * steps))


def plateau(step, _):
    """Short warm-up, then the full rate: a start for other recipes."""
    return min(1, (step + 1) / 50)


def descent(step, steps):
    """Short warm-up, then a straight line to zero."""
    return min((step + 1) / 50, (steps - step) / steps)


SCHEDULES = {"whole": whole, "plateau": plateau, "descent": descent}


def checkpoint(name):
    """Where the weights of a recipe are kept."""
    return os.path.join(WORK, f"{name}.pt")


def beginning(recipe):
    """Tokenizer and weights that training starts from; no weights where it starts from nothing."""
    if recipe.start:
        return load_tokenizer(recipe.start), torch.load(checkpoint(recipe.start))["state"]
    return build_tokenizer(recipe), None


def train(name):
    """Train a recipe, after the one it starts from; accuracy is printed and the weights are kept every 500 steps."""
    recipe = RECIPES[name]
    if recipe.start and not os.path.exists(checkpoint(recipe.start)):
        train(recipe.start)
    torch.manual_seed(recipe.seed)
    tokenizer, state = beginning(recipe)
    torch.save(tokenizer, os.path.join(WORK, f"{name}.tokenizer.pt"))
    model = Llama(len(tokenizer.pieces), recipe.width, recipe.layers, recipe.heads, recipe.inner, recipe.context)
    if state:
        model.load_state_dict(state)
    optimizer = Optimizer(model, recipe.matrix_rate, recipe.other_rate)
    items = recipe.field.held_out(random.Random(recipe.seed + 1000), 240)
    stream = batches(recipe, tokenizer, random.Random(recipe.seed))
    print(f"{name}: {model.parameter_count()} parameters, {len(tokenizer.pieces)} pieces, {recipe.steps} steps", flush=True)
    began, running, tokens = time.process_time(), 0.0, 0
    for step in range(recipe.steps):
        ids, weight = next(stream)
        logits = model(ids[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        weight = weight[:, 1:].flatten()
        loss = (loss * weight).sum() / weight.sum()
        loss.backward()
        optimizer.step(SCHEDULES[recipe.schedule](step, recipe.steps))
        running += (loss.item() - running) * (0.02 if step > 50 else 0.2)
        tokens += ids.numel()
        if step % 100 == 99:
            seconds = time.process_time() - began
            print(f"{step + 1} loss {running:.4f} cpu {seconds:.0f}s {tokens / seconds:.0f} tok/s", flush=True)
        if step % 500 == 499 or step == recipe.steps - 1:
            tally = exact_by_kind(model, tokenizer, items)
            print("   ", " ".join(f"{k}:{r}/{n}" for k, (r, n) in sorted(tally.items())),
                  f"all {sum(r for r, _ in tally.values()) / len(items):.3f}", flush=True)
            torch.save({"state": model.state_dict(), "shape": model.shape}, checkpoint(name))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=RECIPES)
    name = parser.parse_args().name
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    os.makedirs(WORK, exist_ok=True)
    train(name)


if __name__ == "__main__":
    main()
