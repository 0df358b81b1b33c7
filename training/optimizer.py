"""Muon for the matrices inside the blocks, AdamW for everything else.

Muon replaces a matrix's momentum by the nearest orthogonal matrix (Newton-Schulz iteration), so every direction
is learnt at the same pace; on models of this size it needs about half the steps of AdamW.
"""
import torch


def orthogonalize(x, rounds=4):
    """Newton-Schulz iteration on a stack of matrices [n, rows, columns]."""
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(rounds):
        gram = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.transpose(1, 2) if tall else x


class Muon:
    """Nesterov momentum, orthogonalised per matrix; matrices of one shape are handled as one stack."""

    def __init__(self, parameters, rate, momentum=0.95, decay=0.05):
        self.rate, self.momentum, self.decay = rate, momentum, decay
        groups = {}
        for parameter in parameters:
            groups.setdefault(tuple(parameter.shape), []).append(parameter)
        self.groups = [(group, torch.zeros(len(group), *shape)) for shape, group in groups.items()]

    @torch.no_grad()
    def step(self, scale):
        """One update at `scale` times the base rate."""
        for group, buffer in self.groups:
            gradient = torch.stack([p.grad for p in group])
            buffer.mul_(self.momentum).add_(gradient)
            update = orthogonalize(gradient + self.momentum * buffer)
            rate = self.rate * scale * max(1, update.shape[1] / update.shape[2]) ** 0.5
            for parameter, change in zip(group, update):
                parameter.mul_(1 - self.rate * scale * self.decay).sub_(change, alpha=rate)


class Optimizer:
    """Both optimizers behind one `step`."""

    def __init__(self, model, matrix_rate, other_rate):
        matrices = [p for block in model.blocks for p in block.parameters() if p.dim() == 2]
        chosen = set(map(id, matrices))
        rest = [p for p in model.parameters() if id(p) not in chosen]
        self.muon = Muon(matrices, matrix_rate)
        self.adam = torch.optim.AdamW(rest, lr=other_rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.other_rate = other_rate

    def step(self, scale):
        """Apply the gradients at `scale` times the base rates, then clear them."""
        self.muon.step(scale)
        for group in self.adam.param_groups:
            group["lr"] = self.other_rate * scale
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        for group, _ in self.muon.groups:
            for parameter in group:
                parameter.grad = None
