"""The interval of a figure by drawing anew, with replacement, the few units that it rests on: runs, tasks, or both at once.

Few units spread less than there is spread, so deviations are scaled by √(n/(n−1)); and the error that the draws show is itself
known from few, so it counts as many times as Student's t says, with degrees of freedom after Satterthwaite (1946). The bootstrap:
Efron 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from jaxtyping import Float
from numpy import ndarray

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; None at both ends where there are too few units to give one."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def factor(self) -> Estimate:
        """The factor of which this is the logarithm."""
        ends = (None if end is None else float(np.exp(end)) for end in (self.low, self.high))
        return Estimate(exp(self.value), *ends)

    def said(self, count: int = 3) -> str:
        """With so many significant figures."""
        ends = (
            "–" if self.low is None or self.high is None else f"{figures(self.low, count)}, {figures(self.high, count)}"
        )
        return f"{figures(self.value, count)} [{ends}]"

    def __str__(self) -> str:
        return self.said()


def weights(units: int, draws: int, generator: np.random.Generator) -> Float[ndarray, "draw unit"]:
    """How much each of some units counts in the mean of each draw; of one unit there is nothing to draw."""
    if units == 1:
        return np.ones((draws, 1))
    counts = generator.multinomial(units, np.full(units, 1 / units), size=draws)
    return 1 / units + sqrt(units / (units - 1)) * (counts - 1) / units


def estimate(
    value: float, drawn: Float[ndarray, "draw"], moved: Float[ndarray, "draw group part"], units: Sequence[int]
) -> Estimate:
    """`value` with the interval that its draws give.

    `moved` is what each group of units moved in each draw, such as the mean loss and compute of a setting; `units` how many are in
    each. A group of one unit moves nothing and is not counted: say so beside the figure. Without a group of two there is no
    interval.
    """
    several = [group for group, count in enumerate(units) if count > 1]
    error = float(np.std(drawn))
    if not several or not np.isfinite(error):
        return Estimate(value)
    wide = error * quantile(_degrees(drawn, moved[:, several], [units[group] - 1 for group in several]))
    return Estimate(value, value - wide, value + wide)


def quantile(degrees: float) -> float:
    """Student's t at the upper end of the interval."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + LEVEL) / 2))


def _degrees(drawn: ndarray, moved: ndarray, degrees: Sequence[int]) -> float:
    """Satterthwaite's degrees of freedom, given what part of the variance each group brings, to first order."""
    centred = moved - moved.mean(0)
    slopes = np.linalg.lstsq(centred.reshape(len(drawn), -1), drawn - drawn.mean(), rcond=None)[0]
    parts = (centred * slopes.reshape(moved.shape[1:])).sum(2).var(0)  # one draw of seeds moves all parts of its group
    if not parts.sum():
        return float(min(degrees))
    return float(parts.sum() ** 2 / (parts**2 / np.array(degrees)).sum())


def figures(number: float, count: int = 3) -> str:
    """With so many significant figures; thousands in full."""
    short = f"{number:.{count}g}"
    return f"{float(short):.0f}" if 1e3 <= abs(number) < 1e6 else short
