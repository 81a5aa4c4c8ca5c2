"""A linear-kernel read, which is a single step of gradient descent from w = 0: (rate / n) Σ (x·x_i) y_i, in one layer.

A single step is not told from a smoother, by definition: what happens once cannot be seen to be iterated.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class LinearRead:
    """One step down the mean squared error, of length `rate`; no second one follows."""

    rate: float = 0.5
    layer: int = 1

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        return self.rate / xs.shape[1] * torch.einsum("ptd,pnd,pn->pt", at, xs, ys)

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)
