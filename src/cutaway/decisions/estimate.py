"""Means with intervals, and what may be claimed of them.

An effect is measured on every prompt with every donor. Both are samples: the standard error adds the variance of prompt
means over prompts and of donor means over donors, with the smaller count for the degrees of freedom. With one prompt the
interval is over donors only, and is about this prompt only; so with two or three.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

FEWEST = 4  # prompts or donors under which nothing is claimed: two alike would make an interval of no width
State = Literal["used", "inert", "undecided"]


@dataclass(frozen=True)
class Estimate:
    """A mean, its 95 % interval (`low`, `high`; the mean itself where nothing is known of its error) and what `n` counts."""

    mean: float
    low: float
    high: float
    n: int
    over: str

    @property
    def known(self) -> bool:
        """Whether there is an interval that a claim may rest on: from at least four prompts or donors."""
        return self.n >= FEWEST

    def state(self, floor: float) -> State:
        """Used: the interval lies beyond ±floor. Inert: within it. Else, or without an interval, undecided."""
        if not self.known or not math.isfinite(self.mean):
            return "undecided"
        if self.low > floor or self.high < -floor:
            return "used"
        return "inert" if -floor <= self.low and self.high <= floor else "undecided"

    def __str__(self) -> str:
        return (
            f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}] (n = {self.n} {self.over})"
            if self.known
            else f"{self.mean:.3g} (no interval)"
        )


def estimate(values: Float[Tensor, "draws rows"]) -> Estimate:
    """The mean of an effect over donors and prompts, with its 95 % t-interval."""
    from scipy.stats import t

    values = values.double()
    if 1 < values.shape[1] < FEWEST <= values.shape[0]:
        values = values.mean(1, keepdim=True)  # too few prompts to speak for others: an interval over donors, on these
    draws, rows = values.shape
    mean = float(values.mean())
    variance = 0.0
    sizes: list[tuple[int, str]] = []
    if rows > 1:
        variance += float(values.mean(0).var()) / rows
        sizes.append((rows, "prompts"))
    if draws > 1:
        variance += float(values.mean(1).var()) / draws
        sizes.append((draws, "donors"))
    if not sizes:
        return Estimate(mean, mean, mean, 1, "rerun")
    n, over = min(sizes)
    half = float(t.ppf(0.975, n - 1)) * math.sqrt(variance)
    return Estimate(mean, mean - half, mean + half, n, over)


def benjamini_hochberg(p: list[float]) -> list[float]:
    """q-values: the smallest false discovery rate at which each would be claimed (Benjamini and Hochberg 1995)."""
    order = sorted(range(len(p)), key=lambda i: p[i], reverse=True)
    q, smallest = [1.0] * len(p), 1.0
    for rank, i in zip(range(len(p), 0, -1), order):
        smallest = min(smallest, p[i] * len(p) / rank)
        q[i] = smallest
    return q
