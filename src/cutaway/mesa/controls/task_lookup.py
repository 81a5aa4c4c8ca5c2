"""Lookup among finitely many known tasks: the mean of their answers, weighed by how well each explains the labels, in one layer.

It is the best answer where tasks are drawn from the pool, and wrong for a new one (dMMSE; Raventós et al. 2023, arXiv 2306.15063).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.reference import Stack
from cutaway.mesa.tasks import Regression


@dataclass(frozen=True)
class TaskLookup:
    """Knows the weights of `tasks` tasks: the pool of `Regression(pool=tasks, pool_seed=seed)`; `noise` is that of the labels."""

    tasks: int = 16
    noise: float = 0.1
    seed: int = 0
    layer: int = 1

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        known = pool(self.tasks, self.seed, xs.shape[-1]).to(xs)
        return looked_up(known, 1 / self.noise**2, xs, ys, at)

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)


def pool(tasks: int, seed: int, dim: int) -> Float[Tensor, "task dim"]:
    """The weights of the tasks that a lookup knows."""
    return Regression(dim=dim, pool=tasks, pool_seed=seed).tasks()


def looked_up(known: Float[Tensor, "task dim"], precision: float, xs: Points, ys: Labels, at: Places) -> Answers:
    """The posterior mean over the known tasks, with labels' errors of variance 1 / precision."""
    missed = (torch.einsum("md,pnd->pmn", known, xs) - ys.unsqueeze(1)).square().sum(-1)
    posterior = (-precision / 2 * missed).softmax(-1)
    return torch.einsum("pm,md,ptd->pt", posterior, known, at)
