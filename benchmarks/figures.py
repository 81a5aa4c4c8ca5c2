"""A measured figure with its spread, the bar that it must meet, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from random import Random
from statistics import mean, median
from typing import Any, TypeVar

Result = dict[str, Any]
One = TypeVar("One")
DRAWS = 2000
"""Of a bootstrap."""


@dataclass(frozen=True)
class Measured:
    """`value` with the range [`low`, `high`] that it was measured in; `of` says over what. `sampled`: the range is the 95 %
    interval of a share, so that a bar inside it is not decided."""

    value: float
    low: float
    high: float
    of: str
    sampled: bool = False


@dataclass(frozen=True)
class Bar:
    """What a figure must reach, in which direction, and how such a number is written."""

    value: float
    at_least: bool = True
    show: str = "{:.2f}×"

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.show.format(self.value)}"

    def shown(self, found: Measured) -> str:
        """`3.49× [3.41×, 3.52×], 3 rounds`."""
        spread = "" if found.low == found.high else f" [{self.show.format(found.low)}, {self.show.format(found.high)}]"
        return f"{self.show.format(found.value)}{spread}, {found.of}"

    def verdict(self, found: Measured) -> str:
        """`met`, or by how much it is missed; and whether a share is of too few to say so for certain."""
        inside = found.sampled and found.low < self.value < found.high and 0 < self.value < 1
        few = ", too few to decide" * inside
        if found.value >= self.value if self.at_least else found.value <= self.value:
            return f"met{few}"
        if not self.value or not isfinite(found.value):
            return "**missed**"
        short = abs(found.value - self.value) / abs(self.value)
        return f"**missed** by {short:.0%}{few}" if short >= 0.01 else f"**missed** by {short:.1%}{few}"


def ratio(result: Result, setting: str, above: str, below: str) -> Measured:
    """Median over rounds of seconds(above) / seconds(below) within a round; the spread is the range over rounds."""
    seconds = result["settings"][setting]["seconds"]
    return spread([a / b for a, b in zip(seconds[above], seconds[below])])


def spread(values: Sequence[float], of: str = "round") -> Measured:
    """The median of `values`, with their range."""
    return Measured(median(values), min(values), max(values), f"{len(values)} {of}{'s' * (len(values) > 1)}")


def exact(value: float, of: str) -> Measured:
    """Something counted or compared once."""
    return Measured(value, value, value, of)


def share(hits: int, of: int, what: str = "networks") -> Measured:
    """A share with its Clopper–Pearson interval (95 %)."""
    return Measured(hits / of, *clopper_pearson(hits, of), f"{hits} of {of} {what}", sampled=True)


def averaged(values: Sequence[float], beside: str = "") -> Measured:
    """A mean over networks with its bootstrap interval (95 %); `beside` is said behind how many there are."""
    return Measured(mean(values), *bootstrap(values, mean), f"mean of {len(values)} networks{beside}")


def clustered(of_networks: Sequence[Sequence[bool]], what: str) -> Measured:
    """A share of claims; the interval (95 %) is a bootstrap over networks, since claims of one are not independent.

    Where all claims come out alike nothing is drawn otherwise, so that the interval is the Clopper–Pearson one of as many
    networks, each counted once.
    """
    every = [list(map(bool, one)) for one in of_networks if one]
    hits, of, count = sum(map(sum, every)), sum(map(len, every)), len(every)
    if hits in (0, of):
        ends = clopper_pearson(count if hits else 0, count)
    else:
        ends = bootstrap(every, lambda drawn: sum(map(sum, drawn)) / sum(map(len, drawn)))
    return Measured(hits / of, *ends, f"{hits} of {of} {what} of {count} networks")


def bootstrap(
    networks: Sequence[One], figure: Callable[[Sequence[One]], float], level: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of `figure` over networks drawn again (Efron 1979): they are the unit, not what is in one."""
    draw = Random(0)
    found = sorted(figure(draw.choices(networks, k=len(networks))) for _ in range(DRAWS))
    cut = round(DRAWS * (1 - level) / 2)
    return found[cut], found[-1 - cut]


def clopper_pearson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, of - hits + 1))
    high = 1.0 if hits == of else float(beta.ppf(1 - tail, hits + 1, of - hits))
    return low, high
