"""Measured costs at several sizes of network, where a cost that was never reached is a lower bound.

The unit of a scaling law is the size, not the network: seeds of one size share its settings, so that their errors go
together. A size counts once, with the mean over its seeds; where some cost of the study is only bounded, with the median,
which is known as long as fewer than half of the seeds are above it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Point:
    """One network: its size x (parameters, neurons, training FLOPs) and its cost y; `reached` is false where the search was
    given up after y. `size` names networks that differ in their seed only; x itself, if left out."""

    x: float
    y: float
    reached: bool = True
    size: str = ""


@dataclass(frozen=True)
class Sizes:
    """One row a size, in the order of x: natural logarithms of x and y, and whether y is known or only bounded from below."""

    x: Float[np.ndarray, "size"]
    y: Float[np.ndarray, "size"]
    reached: Bool[np.ndarray, "size"]
    networks: int
    within: float = 0.0
    """The variance of log cost between seeds of a size, of those of which every one was reached."""

    def __len__(self) -> int:
        """How many sizes there are."""
        return len(self.x)

    @property
    def range(self) -> float:
        """The largest x over the smallest."""
        return float(np.exp(self.x[-1] - self.x[0])) if len(self) else 1.0


def by_size(points: Iterable[Point]) -> Sizes:
    """The sizes of these networks. Raises ValueError for an x or y that has no logarithm, and for no points."""
    points = list(points)
    if not points:
        raise ValueError("given no points; expected one a network")
    for point in points:
        if not (0 < point.x < np.inf and 0 < point.y < np.inf):
            raise ValueError(f"given {point}; expected x and y above 0 and finite: a cost of 0 was not measured")
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.size or repr(point.x), []).append(point)
    middle = _mean if all(point.reached for point in points) else _median
    rows = sorted((float(np.mean([np.log(one.x) for one in group])), *middle(group)) for group in groups.values())
    x, y, reached = (np.array(column) for column in zip(*rows))
    return Sizes(x, y, reached.astype(bool), len(points), _within(groups.values()))


def _within(groups: Iterable[list[Point]]) -> float:
    logs = [np.log([point.y for point in group]) for group in groups if all(point.reached for point in group)]
    freedom = sum(len(one) - 1 for one in logs)
    return float(sum(((one - one.mean()) ** 2).sum() for one in logs)) / freedom if freedom else 0.0


def _mean(group: list[Point]) -> tuple[float, bool]:
    return float(np.mean([np.log(point.y) for point in group])), True


def _median(group: list[Point]) -> tuple[float, bool]:
    """The median with bounds in the place of what was not reached; it is known if no bound is at or below it."""
    middle = float(np.median([np.log(point.y) for point in group]))
    above = sorted((np.log(point.y), not point.reached) for point in group)
    used = above[: len(above) // 2 + 1]
    return middle, not any(bounded for _, bounded in used)
