"""Principal component regression of growing rank: every layer solves afresh, along one or more directions further.

Strong directions come first, as in gradient descent, and nothing is iterated. Source: Massy 1965, "Principal components
regression in exploratory statistical research".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class GrowingRank:
    """Layer l of L solves along the d · l / L strongest of d directions, each with a `penalty`."""

    penalty: float = 0.1

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew, and what was answered before is dropped."""
        ranks = [ceil(dim * layer / depth) for layer in range(1, depth + 1)]
        return layered([Step(partial(_along, self.penalty, rank), keep=0.0) for rank in ranks], dim, dtype)


def _along(penalty: float, rank: int, xs: Points, ys: Labels, at: Places) -> Answers:
    values, vectors = torch.linalg.eigh(torch.einsum("pnd,pne->pde", xs, xs))
    values, vectors = values[:, -rank:], vectors[..., -rank:]
    asked = torch.einsum("pnd,pn,pdk->pk", xs, ys, vectors) / (values + penalty)
    return torch.einsum("ptd,pdk,pk->pt", at, vectors, asked)
