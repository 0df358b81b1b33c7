"""How each model of the family is made: one row each."""
from dataclasses import dataclass

from generators import fields
from generators.base import Field


@dataclass
class Recipe:
    """Data, tokenizer, shape and schedule of one model."""

    field: Field
    tokenizer: str
    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    steps: int
    seed: int
    context: int = 512
    batch_tokens: int = 1600
    matrix_rate: float = 0.02
    other_rate: float = 4e-3
    tokenizer_sample: int = 4000
    held_out: int = 600
    schedule: str = "whole"  # how the rate goes: train.py names them
    start: str | None = None  # the recipe whose weights and tokenizer training starts from
    practice: Field | None = None  # what is hardest of the field, drawn half of the time in training, never in testing

    def draw(self, rng):
        """A training item."""
        return (self.practice if self.practice and rng.random() < 0.5 else self.field).draw(rng)


RECIPES = {
    "arithmetic-a": Recipe(fields.ARITHMETIC_A, "qwen2", 480, 128, 4, 4, 320, 4000, 11),
    "arithmetic-b-first": Recipe(fields.ARITHMETIC_B, "spm", 480, 128, 4, 4, 320, 3600, 17, batch_tokens=2000),
    "arithmetic-b": Recipe(fields.ARITHMETIC_B, "spm", 480, 128, 4, 4, 320, 1600, 18, batch_tokens=2000, schedule="descent",
                           start="arithmetic-b-first", practice=fields.ARITHMETIC_B_PRACTICE),
    "calendar": Recipe(fields.CALENDAR, "spm", 700, 128, 4, 4, 320, 3200, 16, batch_tokens=1800),
    "elements": Recipe(fields.CHEMISTRY, "llama-bpe", 900, 128, 3, 4, 352, 1800, 13),
    "generalist": Recipe(fields.GENERAL, "qwen2", 1000, 128, 4, 4, 320, 3800, 22, batch_tokens=1800, tokenizer_sample=6000,
                         held_out=3640),
    "geography": Recipe(fields.GEOGRAPHY, "spm", 1400, 128, 3, 4, 352, 3200, 12),
    "logic-first": Recipe(fields.LOGIC, "spm", 1200, 128, 4, 4, 320, 3000, 31),
    "logic-second": Recipe(fields.LOGIC, "spm", 1200, 128, 4, 4, 320, 4500, 32, start="logic-first"),
    "logic": Recipe(fields.LOGIC, "spm", 1200, 128, 4, 4, 320, 2500, 33, schedule="descent", start="logic-second",
                    practice=fields.LOGIC_PRACTICE),
    "planner": Recipe(fields.PLANNING, "qwen2", 1100, 128, 4, 4, 320, 3600, 18, batch_tokens=2000),
    "reviewer-first": Recipe(fields.REVIEWING, "qwen2", 480, 128, 4, 4, 320, 2400, 41, start="arithmetic-a"),
    "reviewer": Recipe(fields.REVIEWING, "qwen2", 480, 128, 4, 4, 320, 2000, 42, schedule="descent", start="reviewer-first",
                       practice=fields.REVIEWING_PRACTICE, matrix_rate=0.014, other_rate=2.8e-3),
    "units-first": Recipe(fields.UNITS, "qwen2", 420, 128, 4, 4, 320, 1500, 19, schedule="plateau", practice=fields.UNITS_PRACTICE),
    "units": Recipe(fields.UNITS, "qwen2", 420, 128, 4, 4, 320, 1500, 20, schedule="descent", start="units-first",
                    practice=fields.UNITS_PRACTICE),
    "words": Recipe(fields.WORDS, "bytes", 260, 128, 4, 4, 320, 4000, 14, batch_tokens=2400),
}
