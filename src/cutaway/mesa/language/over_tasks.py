"""Figures over tasks: few-shot prompts that share a task are one draw, so intervals are taken over tasks, not prompts.

A share of tasks has its Clopper–Pearson interval (1934), a mean over them Student's; a difference of two has the one that follows
from both (MOVER: Zou & Donner 2008, doi 10.1002/sim.3095).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite, sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.match import Share

LEVEL = 0.95


@dataclass(frozen=True)
class OverTasks:
    """A figure with its 95 % interval over so many tasks; the ends are NaN where one task gives none."""

    value: float
    low: float
    high: float
    tasks: int

    @classmethod
    def share(cls, right: Float[Tensor, "prompt"], task: Int[Tensor, "prompt"]) -> OverTasks:
        """Of prompts that are answered rightly; one half is a tie.

        Exact where every task has one prompt, and where all tasks come out alike, so that each counts once.
        """
        each = by_task(right, task)
        value, hits = float(each.mean()), float(each.sum())
        if len(each) < len(right) and value not in (0.0, 1.0):
            around = cls.mean(right, task)
            return cls(value, max(0.0, around.low), min(1.0, around.high), len(each))
        # An odd tie counts as wrong for the lower end, as right for the upper one.
        return cls(value, Share.of(floor(hits), len(each)).low, Share.of(ceil(hits), len(each)).high, len(each))

    @classmethod
    def mean(cls, values: Float[Tensor, "prompt"], task: Int[Tensor, "prompt"] | None = None) -> OverTasks:
        """Of values, first over the prompts of a task and then over tasks; NaNs are left out."""
        task = torch.arange(len(values)) if task is None else task
        known = values.isfinite()
        each = by_task(values[known], task[known])
        if not len(each):
            return cls(float("nan"), float("nan"), float("nan"), 0)
        value = float(each.mean())
        if len(each) == 1:
            return cls(value, float("nan"), float("nan"), 1)
        wide = _student(len(each) - 1) * float(each.std()) / sqrt(len(each))
        return cls(value, value - wide, value + wide, len(each))

    def minus(self, other: OverTasks) -> OverTasks:
        """The difference to a figure over other tasks."""
        gap = self.value - other.value
        low = gap - sqrt((self.value - self.low) ** 2 + (other.high - other.value) ** 2)
        high = gap + sqrt((self.high - self.value) ** 2 + (other.value - other.low) ** 2)
        return OverTasks(gap, low, high, min(self.tasks, other.tasks))

    def above(self, floor: float) -> bool:
        """Whether the whole interval lies above."""
        return self.low > floor

    def __str__(self) -> str:
        if not isfinite(self.value):
            return "–"
        ends = f" [{self.low:.2f}, {self.high:.2f}]" if isfinite(self.low) else ""
        return f"{self.value:.2f}{ends}"


def by_task(values: Float[Tensor, "prompt"], task: Int[Tensor, "prompt"]) -> Float[Tensor, "task"]:
    """The mean over the prompts of every task."""
    _, which = task.unique(return_inverse=True)
    count = int(which.max()) + 1 if len(which) else 0
    sums = torch.zeros(count, dtype=torch.float64).index_add(0, which, values.double())
    return sums / torch.bincount(which, minlength=count)


def _student(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + LEVEL) / 2))
