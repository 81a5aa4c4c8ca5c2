"""A ridge path that leaks: every layer blends a fresh solution with the answer so far.

What is written into the answer fades geometrically and alike in all directions, as in trained networks; an optimizer's fades as the
curvature says. `following` has the same leak around the path itself: undisturbed, the answers are those of the ridge path exactly.
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
class LeakyRidgePath:
    """Penalties from `first` to `last`, in units of the number of dimensions; a layer keeps a share `keep` of what was answered."""

    first: float = 100.0
    last: float = 0.01
    keep: float = 0.5
    following: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.keep < 1:
            raise ValueError(f"LeakyRidgePath.keep is {self.keep}; expected between 0 and 1: RidgePath keeps nothing")

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew and blends."""
        penalties = [dim * penalty for penalty in between(self.first, self.last, depth)]
        if not self.following:
            blends = [Step(partial(ridge, penalty), self.keep, 1 - self.keep) for penalty in penalties]
            return layered(blends, dim, dtype)
        rules = [partial(self._beyond, before, after) for before, after in pairwise(penalties)]
        return layered([Step(partial(ridge, penalties[0])), *(Step(rule, self.keep) for rule in rules)], dim, dtype)

    def _beyond(self, before: float, after: float, xs: Points, ys: Labels, at: Places) -> Answers:
        """The new solution less what is kept of the old one."""
        return ridge(after, xs, ys, at) - self.keep * ridge(before, xs, ys, at)
