"""Gradient descent on the squared error, from w = 0: w ← w − (rate / n) Xᵀ(X w − y).

One head of linear attention is one step (von Oswald et al. 2023, arXiv 2212.07677): the stream holds what is left of each label,
y − w·x, and for a query −w·x; a step takes from every token the mean over points of rate · (x_i·x_j) · residual_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class GradientDescent:
    """Steps of length `rate` down the mean squared error; it converges below 2 ÷ the largest eigenvalue of XᵀX / n."""

    rate: float = 0.3

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            residual = torch.einsum("pnd,pd->pn", prompts.xs, weights) - prompts.ys
            weights = weights - self.rate / prompts.points * torch.einsum("pnd,pn->pd", prompts.xs, residual)
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention, one head a layer, in dim + 1 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1)
        step = Layer((Attention(space.read("x"), space.read("x"), space.read("y"), -self.rate * space.write("y")),))
        return Stack(space, labelled, (step,) * steps, -space.read("y")[:, 0])
