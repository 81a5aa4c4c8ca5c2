"""A ridge path whose solutions are cut to the range of the labels, and blended with the answer so far or not.

What a layer has alone is then no linear function of the labels, nor is the blend one of polynomials of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, between, layered
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class ClippedRidgePath:
    """Penalties from `first` to `last`, in units of the number of dimensions; a layer keeps a share `keep` of what was answered."""

    first: float = 100.0
    last: float = 0.01
    keep: float = 0.0

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew, cuts and blends."""
        if not 0 <= self.keep < 1:
            raise ValueError(f"ClippedRidgePath.keep is {self.keep}; expected 0 or more, and less than 1")
        penalties = [dim * penalty for penalty in between(self.first, self.last, depth)]
        return layered([Step(partial(_cut, penalty), self.keep, 1 - self.keep) for penalty in penalties], dim, dtype)


def _cut(penalty: float, xs: Points, ys: Labels, at: Places) -> Answers:
    found = ridge(penalty, xs, ys, at)
    return torch.minimum(torch.maximum(found, ys.amin(1, keepdim=True)), ys.amax(1, keepdim=True))
