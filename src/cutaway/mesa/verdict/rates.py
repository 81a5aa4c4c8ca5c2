"""How well something tells two kinds of networks apart: AUROC, and rates with exact intervals.

Intervals: Clopper and Pearson 1934. Networks of one family are alike, so rates are given by family too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rate:
    """So many hits of so many tries."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; NaN of none."""
        return self.hits / self.of if self.of else float("nan")

    @property
    def upper(self) -> float:
        """The one-sided 95 % upper bound: with no hit in 299 it is 1 %."""
        return self._bound(0.95)

    @property
    def interval(self) -> tuple[float, float]:
        """The two-sided 95 % interval."""
        from scipy.stats import beta

        low = 0.0 if self.hits == 0 else float(beta.ppf(0.025, self.hits, self.of - self.hits + 1))
        return low, self._bound(0.975)

    def _bound(self, level: float) -> float:
        from scipy.stats import beta

        return 1.0 if self.hits == self.of else float(beta.ppf(level, self.hits + 1, self.of - self.hits))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.hits} of {self.of} [{low:.1%}, {high:.1%}]"


def rate(flags: Iterable[bool]) -> Rate:
    """The rate of these outcomes."""
    found = list(flags)
    return Rate(sum(found), len(found))


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive is above a negative, ties counting half; .5 of a constant. Errors: an empty side, NaN."""
    if not len(positive) or not len(negative):
        raise ValueError(
            f"{len(positive)} positives and {len(negative)} negatives were given; expected at least one of each"
        )
    high, low = np.asarray(positive, float), np.sort(np.asarray(negative, float))
    if np.isnan(high).any() or np.isnan(low).any():
        raise ValueError("a value is NaN; expected numbers: a sign has to be finite for every network")
    below, upto = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + upto).mean() / 2 / len(low))
