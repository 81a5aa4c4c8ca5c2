"""Ridge regression on ever more of the context: every layer solves afresh, from the first points only, and more of them each time.

The answers improve layer by layer as an optimizer's do, because there is more to solve from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class GrowingRidge:
    """Layer l of L solves from the first n · l / L of n points."""

    penalty: float = 0.1

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew, and what was answered before is dropped."""
        shares = [layer / depth for layer in range(1, depth + 1)]
        return layered([Step(partial(_begun, self.penalty, share), keep=0.0) for share in shares], dim, dtype)


def _begun(penalty: float, share: float, xs: Points, ys: Labels, at: Places) -> Answers:
    known = ceil(share * xs.shape[1] - 1e-9)
    return ridge(penalty, xs[:, :known], ys[:, :known], at)
