"""Copying a label: the one of the point most like the query, as an induction head does, or the first, the last, or their mean.

Source: Olsson et al. 2022, "In-context learning and induction heads" (arXiv 2209.11895).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.reference import Stack

Which = Literal["alike", "last", "first", "mean"]


@dataclass(frozen=True)
class Copying:
    """The label of the point of largest dot product with the query (`alike`), or one that does not depend on the query."""

    which: Which = "alike"
    layer: int = 1

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise ValueError(f"Copying.which is {self.which!r}; expected one of {', '.join(get_args(Which))}")

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        if self.which == "alike":
            return ys.gather(1, torch.einsum("ptd,pnd->ptn", at, xs).argmax(-1))
        label = {"last": ys[:, -1], "first": ys[:, 0], "mean": ys.mean(1)}[self.which]
        return label.unsqueeze(1).expand(-1, at.shape[1])

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)
