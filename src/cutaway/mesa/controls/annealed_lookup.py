"""Lookup among known tasks with a posterior that is computed afresh in every layer, sharper each time.

The answer gets better layer by layer for a task of the pool, and nothing is carried from one layer to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Step, between, layered
from cutaway.mesa.controls.task_lookup import looked_up, pool
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class AnnealedLookup:
    """Knows `tasks` tasks; the labels' precision rises from a share `first` of 1 / noise² to all of it."""

    tasks: int = 16
    noise: float = 0.1
    seed: int = 0
    first: float = 0.001

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer looks up anew, and what was answered before is dropped."""
        known = pool(self.tasks, self.seed, dim).to(dtype)
        precisions = between(self.first / self.noise**2, 1 / self.noise**2, depth)
        return layered([Step(partial(looked_up, known, precision), keep=0.0) for precision in precisions], dim, dtype)
