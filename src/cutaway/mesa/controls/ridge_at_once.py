"""Ridge regression solved in one layer, as a mesa-layer does it (von Oswald et al. 2023, arXiv 2309.05858)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class RidgeAtOnce:
    """The minimiser of |X w − y|² + penalty · |w|², in closed form."""

    penalty: float = 0.1
    layer: int = 1

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        return ridge(self.penalty, xs, ys, at)

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)


def ridge(penalty: float, xs: Points, ys: Labels, at: Places) -> Answers:
    """The answers of ridge regression."""
    gram = torch.einsum("pnd,pne->pde", xs, xs) + penalty * torch.eye(xs.shape[-1]).to(xs)
    weights = torch.linalg.solve(gram, torch.einsum("pnd,pn->pd", xs, ys))
    return torch.einsum("ptd,pd->pt", at, weights)
