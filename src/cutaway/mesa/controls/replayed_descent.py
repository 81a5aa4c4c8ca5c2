"""Gradient descent replayed: layer l computes its first l steps from scratch, whatever the layers before have answered.

The answers are those of an optimizer, layer by layer and to the last digit, but nothing is carried on: each layer could stand
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class ReplayedDescent:
    """Steps of length `rate`."""

    rate: float = 0.3

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Layer l writes the answer after l steps in the place of the one before."""
        return layered(
            [Step(partial(descended, self.rate, count), keep=0.0) for count in range(1, depth + 1)], dim, dtype
        )


def descended(rate: float, count: int, xs: Points, ys: Labels, at: Places) -> Answers:
    """The answers after `count` steps down the mean squared error, from w = 0."""
    weights = torch.zeros_like(xs[:, 0])
    for _ in range(count):
        residual = torch.einsum("pnd,pd->pn", xs, weights) - ys
        weights = weights - rate / xs.shape[1] * torch.einsum("pnd,pn->pd", xs, residual)
    return torch.einsum("ptd,pd->pt", at, weights)
