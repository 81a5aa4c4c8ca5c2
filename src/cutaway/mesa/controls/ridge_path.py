"""A ridge path: every layer solves the regression afresh, with a smaller penalty than the layer before.

The answers improve layer by layer on problems never seen, and yet no layer uses the one before. `carried` writes the same path as
increments, each the difference of two fresh solutions: nothing that lies in the stream is ever overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, between, layered
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class RidgePath:
    """Penalties from `first` to `last`, both in units of the number of dimensions."""

    first: float = 100.0
    last: float = 0.01
    carried: bool = False

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew; what was answered before is dropped, or stays and is added to."""
        penalties = [dim * penalty for penalty in between(self.first, self.last, depth)]
        if not self.carried:
            return layered([Step(partial(ridge, penalty), keep=0.0) for penalty in penalties], dim, dtype)
        increments = [partial(_increment, before, after) for before, after in pairwise(penalties)]
        return layered([Step(partial(ridge, penalties[0])), *(Step(more) for more in increments)], dim, dtype)


def _increment(before: float, after: float, xs: Points, ys: Labels, at: Places) -> Answers:
    return ridge(after, xs, ys, at) - ridge(before, xs, ys, at)
