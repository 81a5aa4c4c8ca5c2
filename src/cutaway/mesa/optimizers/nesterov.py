"""Nesterov's accelerated gradient: the slope is taken where the last move leads to, w + carry v (Nesterov 1983).

The layer is that of momentum with its parts swapped: neurons make the carried move first, then attention reads what is left there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, passing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class Nesterov:
    """Steps of length `rate` from the point that the share `carry` of the move before leads to."""

    rate: float = 0.3
    carry: float = 0.5

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "carry", 0, 1)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        weights = before = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            ahead = weights + self.carry * (weights - before)
            residual = torch.einsum("pnd,pd->pn", prompts.xs, ahead) - prompts.ys
            before = weights
            weights = ahead - self.rate * torch.einsum("pnd,pn->pd", prompts.xs, residual) / prompts.points
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """ReLU neurons, then linear attention, in dim + 2 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, move=1)
        go = passing(space.read("move"), (self.carry - 1) * space.write("move") - self.carry * space.write("y"))
        slope = self.rate * (space.write("move") - space.write("y"))
        step = Layer((go, Attention(space.read("x"), space.read("x"), space.read("y"), slope)))
        return Stack(space, labelled, (step,) * steps, -space.read("y")[:, 0])
