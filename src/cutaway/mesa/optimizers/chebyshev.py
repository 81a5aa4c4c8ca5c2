"""Chebyshev iteration: momentum whose rate and carry change from step to step, so that least is left.

After k steps the error along an eigenvalue λ in [low, high] is T_k((θ − λ) / δ) / T_k(θ / δ), θ and δ the interval's middle
and half (Saad 2003, "Iterative methods for sparse linear systems", algorithm 12.1). It needs to know the interval, but no
division.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.momentum import moving
from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class Chebyshev:
    """Steps that are best for problems whose XᵀX / n has its eigenvalues between `low` and `high`; it diverges above."""

    low: float = 0.2
    high: float = 4.0

    def __post_init__(self) -> None:
        expect_between(self, "low", 0, self.high)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        middle, half = (self.high + self.low) / 2, (self.high - self.low) / 2
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        rho, move = half / middle, self._fall(prompts, weights) / middle
        for _ in range(steps):
            weights = weights + move
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
            after = 1 / (2 * middle / half - rho)
            move = after * rho * move + 2 * after / half * self._fall(prompts, weights)
            rho = after
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention and ReLU neurons, in dim + 2 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, move=1)
        layers = tuple(moving(space, rate, carry) for rate, carry in self.schedule(steps))
        return Stack(space, labelled, layers, -space.read("y")[:, 0])

    def schedule(self, steps: int) -> list[tuple[float, float]]:
        """Each step's rate, and the share of its move that the next one keeps."""
        middle, half = (self.high + self.low) / 2, (self.high - self.low) / 2
        rate, rho, found = 1 / middle, half / middle, []
        for _ in range(steps):
            after = 1 / (2 * middle / half - rho)
            found.append((rate, after * rho))
            rate, rho = 2 * after / half, after
        return found

    @staticmethod
    def _fall(prompts: Prompts, weights: Float[Tensor, "prompt dim"]) -> Float[Tensor, "prompt dim"]:
        residual = prompts.ys - torch.einsum("pnd,pd->pn", prompts.xs, weights)
        return torch.einsum("pnd,pn->pd", prompts.xs, residual) / prompts.points
