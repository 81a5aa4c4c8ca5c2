"""Ridge regression seen through random projections of growing width: every layer solves afresh, knowing more of the points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class WideningProjection:
    """Layer l solves in the first l · dim / depth coordinates of a random basis; `keep` of the answer before stays."""

    penalty: float = 0.1
    keep: float = 0.0
    seed: int = 0

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """The last layer sees all coordinates."""
        square = torch.randn(dim, dim, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)
        basis = torch.linalg.qr(square).Q.to(dtype)
        seen = [basis[:, : max(1, round(dim * layer / depth))] for layer in range(1, depth + 1)]
        steps = [Step(partial(projected, self.penalty, some), self.keep, 1 - self.keep) for some in seen]
        return layered(steps, dim, dtype)


def projected(penalty: float, basis: Float[Tensor, "dim seen"], xs: Points, ys: Labels, at: Places) -> Answers:
    """The answers of ridge regression on the coordinates that are seen."""
    return ridge(penalty, xs @ basis, ys, at @ basis)
