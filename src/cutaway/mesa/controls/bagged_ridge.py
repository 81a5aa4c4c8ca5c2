"""An ensemble of ridge regressions, each on half of the points: every layer adds one member's share and looks at no other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class BaggedRidge:
    """The mean of `depth` members; which half a point is in says a random direction of each member's own."""

    penalty: float = 0.3
    seed: int = 0

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer is a member."""
        drawn = torch.randn(depth, dim, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)
        return layered(
            [Step(partial(halved, self.penalty, way.to(dtype)), share=1 / depth) for way in drawn], dim, dtype
        )


def halved(penalty: float, way: torch.Tensor, xs: Points, ys: Labels, at: Places) -> Answers:
    """The answers of ridge regression on the points that lie furthest along `way`, on either side of the middle."""
    along = xs @ way
    counted = (along >= along.median(1, keepdim=True).values).to(xs).unsqueeze(-1)
    return ridge(penalty, xs * counted, ys * counted.squeeze(-1), at)
