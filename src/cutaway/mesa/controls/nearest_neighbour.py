"""Nearest neighbours: the mean label of the k points next to the query, found in one layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class NearestNeighbour:
    """The mean label of the `neighbours` nearest points; all of them where there are fewer."""

    neighbours: int = 1
    layer: int = 1

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        apart = (at.unsqueeze(2) - xs.unsqueeze(1)).square().sum(-1)
        near = apart.topk(min(self.neighbours, xs.shape[1]), largest=False).indices
        return ys.unsqueeze(1).expand(-1, at.shape[1], -1).gather(2, near).mean(-1)

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)
