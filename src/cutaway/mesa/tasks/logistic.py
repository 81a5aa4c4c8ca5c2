"""In-context classification: labels −1 and 1 of points x ~ N(0, I), 1 with probability 1 / (1 + exp(−w·x)), a new w each time."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch

from cutaway.mesa.prompts import Prompts


@dataclass(frozen=True)
class Logistic:
    """Two classes in `dim` dimensions; the answer to a query is the label expected there, tanh(w·x / 2), between −1 and 1.

    `sharpness` is the standard deviation of w·x: at 1 labels are mostly chance, at 10 mostly certain.
    """

    dim: int = 4
    points: int = 32
    queries: int = 8
    sharpness: float = 4.0

    def __post_init__(self) -> None:
        for name in ("dim", "points", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"Logistic.{name} is {getattr(self, name)}; expected a positive integer")
        if self.sharpness <= 0:
            raise ValueError(f"Logistic.sharpness is {self.sharpness}; expected a positive number")

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many problems, in float64; there is no pool, so that all are novel."""
        generator = torch.Generator().manual_seed(seed)
        places = torch.randn(count, self.points + self.queries, self.dim, generator=generator, dtype=torch.float64)
        weights = (
            torch.randn(count, self.dim, generator=generator, dtype=torch.float64) * self.sharpness / sqrt(self.dim)
        )
        logits = torch.einsum("pnd,pd->pn", places, weights)
        chance = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
        labels = (chance < logits.sigmoid()).double() * 2 - 1
        of, asked = slice(0, self.points), slice(self.points, None)
        return Prompts(places[:, of], labels[:, of], places[:, asked], (logits[:, asked] / 2).tanh(), weights)
