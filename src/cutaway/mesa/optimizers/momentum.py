"""Heavy ball: gradient descent that keeps a share of its last move, v ← carry v − rate ∇, w ← w + v (Polyak 1964).

Beside what is left of each label the stream holds carry · v·x. Attention first turns that into the new v·x, then neurons take the
move from what is left. With the neurons before the attention it would be Nesterov's method.
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
class Momentum:
    """Steps of length `rate` down the mean squared error, which keep the share `carry` of the move before."""

    rate: float = 0.3
    carry: float = 0.5

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "carry", 0, 1)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        move = weights
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            residual = torch.einsum("pnd,pd->pn", prompts.xs, weights) - prompts.ys
            slope = torch.einsum("pnd,pn->pd", prompts.xs, residual) / prompts.points
            move = self.carry * move - self.rate * slope
            weights = weights + move
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention and ReLU neurons, in dim + 2 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, move=1)
        return Stack(space, labelled, (moving(space, self.rate, self.carry),) * steps, -space.read("y")[:, 0])


def moving(space: Space, rate: float, carry: float) -> Layer:
    """Adds a gradient step to what `move` carries over, makes that move, and keeps the share `carry` of it for the next layer."""
    slope = Attention(space.read("x"), space.read("x"), space.read("y"), rate * space.write("move"))
    return Layer((slope, passing(space.read("move"), (carry - 1) * space.write("move") - space.write("y"))))
