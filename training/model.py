"""A small Llama: RMSNorm, interleaved rotary positions, SwiGLU, tied embeddings."""
import math

import torch
from torch import nn
from torch.nn import functional as F

ROPE_BASE = 10000.0
NORM_EPSILON = 1e-5


class Norm(nn.Module):
    """Root mean square norm with a learned scale."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * self.weight


def rotary(length, head_width):
    """Cosine and sine tables, one column per pair of neighbouring dimensions (the layout GGUF calls llama)."""
    frequency = ROPE_BASE ** (-torch.arange(0, head_width, 2).float() / head_width)
    angle = torch.arange(length).float()[:, None] * frequency[None]
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Turn each pair (2i, 2i+1) by its angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    """Attention and feed-forward, each with its norm in front."""

    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads, self.head_width = heads, width // heads
        self.attention_norm, self.ffn_norm = Norm(width), Norm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        h = self.attention_norm(x)
        q, k, v = (part(h).view(batch, length, self.heads, self.head_width).transpose(1, 2)
                   for part in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        weight = (q @ k.transpose(-1, -2)) * (1 / math.sqrt(self.head_width)) + mask
        h = (weight.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.o(h)
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    """The whole model; `forward` gives logits for every position."""

    def __init__(self, vocabulary, width, layers, heads, inner, context=512):
        super().__init__()
        self.shape = dict(vocabulary=vocabulary, width=width, layers=layers, heads=heads, inner=inner, context=context)
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads, inner) for _ in range(layers))
        self.norm = Norm(width)
        cos, sin = rotary(context, width // heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.register_buffer("mask", torch.full((context, context), -1e9).triu(1), persistent=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            for part in (block.q, block.k, block.v, block.gate, block.up):
                nn.init.normal_(part.weight, std=width ** -0.5 * 0.6)
            for part in (block.o, block.down):
                nn.init.normal_(part.weight, std=width ** -0.5 * 0.6 / math.sqrt(2 * layers))

    def forward(self, ids):
        length = ids.shape[1]
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length], self.mask[:length, :length])
        return self.norm(x) @ self.embedding.weight.t()

    def parameter_count(self):
        """Parameters, the tied embedding counted once."""
        return sum(p.numel() for p in self.parameters())
