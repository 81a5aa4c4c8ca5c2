"""Few levels in place of many numbers: groups of tokens or places that share a value, thresholds with a value between each two.

The split of an ordered row into the fewest runs that lose little variance is found exactly, by dynamic programming (Fisher 1958,
"On grouping for maximum homogeneity"). All numbers are kept to three digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

NEGLIGIBLE = 1e-9
"""Activations are of the order of 1."""
BINS = 200
"""So many different inputs of a neuron are told apart before thresholds are sought."""


@dataclass(frozen=True)
class Levels:
    """A value for each of a few groups of tokens (or places), and one for all others."""

    groups: tuple[tuple[int, ...], ...]
    values: tuple[float, ...]
    other: float

    def at(self, ids: Int[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The value of each token."""
        found = np.full(ids.shape, self.other)
        for group, value in zip(self.groups, self.values):
            found[np.isin(ids, group)] = value
        return found


@dataclass(frozen=True)
class Curve:
    """A value that is a polynomial of the place, lowest power first."""

    powers: tuple[float, ...]

    def at(self, places: Int[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The value at each place."""
        return sum((power * places.astype(float) ** at for at, power in enumerate(self.powers)), np.zeros(places.shape))


@dataclass(frozen=True)
class Steps:
    """`values[i]` above `thresholds[i - 1]` and up to `thresholds[i]`."""

    thresholds: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The value for each input."""
        return np.array(self.values)[np.searchsorted(self.thresholds, x)]


@dataclass(frozen=True)
class Rise:
    """The input times `slope` where it is well above 0, and 0 where it is well below: GELU (Hendrycks and Gimpel 2016), by tanh."""

    slope: float = 1.0

    def at(self, x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The value for each input."""
        return self.slope * 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


def short(number: float) -> float:
    """A number to three digits; what is no more than rounding errors of float32 is 0."""
    return float(f"{number:.3g}") if abs(number) > NEGLIGIBLE else 0.0


def levels(
    values: Float[np.ndarray, "item"], weights: Float[np.ndarray, "item"], tolerance: float, most: int
) -> Levels:
    """The fewest levels that lose at most `tolerance` of weighted variance, or `most` where that is too few."""
    order = values.argsort(kind="stable")
    ends = runs(values[order], weights[order], tolerance * weights.sum(), most)
    groups = [tuple(sorted(part.tolist())) for part in np.split(order, ends)]
    means = [short(float(np.average(values[list(group)], weights=weights[list(group)]))) for group in groups]
    largest = max(range(len(groups)), key=lambda at: len(groups[at]))
    named = [at for at in range(len(groups)) if at != largest]
    return Levels(tuple(groups[at] for at in named), tuple(means[at] for at in named), means[largest])


def curve(values: Float[np.ndarray, "place"], weights: Float[np.ndarray, "place"], tolerance: float) -> Curve | None:
    """The straight line or parabola that loses at most `tolerance` of weighted variance; None where neither does."""
    places = np.arange(len(values))
    for degree in (1, 2):
        if (weights > 0).sum() <= degree + 1:
            return None
        found = Curve(tuple(np.polynomial.polynomial.polyfit(places, values, degree, w=np.sqrt(weights)).tolist()))
        found = Curve(tuple(float(f"{power:.4g}") for power in found.powers))
        if np.average((found.at(places) - values) ** 2, weights=weights) <= tolerance:
            return found
    return None


def steps(x: Float[np.ndarray, "item"], y: Float[np.ndarray, "item"], share: float, most: int) -> Steps | Rise:
    """What a neuron gives for each input: the fewest levels that lose at most this share of the variance of `y`.

    Where `most` levels lose more it is a rise: a neuron that says how much, not whether. Inputs between two levels that do not
    occur are taken for the one that GELU comes nearer to there.
    """
    inputs, which = np.unique(x, return_inverse=True)
    if len(inputs) > BINS:
        inputs = np.unique(np.quantile(x, np.linspace(0, 1, BINS)))
        which = np.searchsorted(inputs, x)
    count = np.bincount(which, minlength=len(inputs)).astype(float)
    mean = np.bincount(which, y, minlength=len(inputs)) / count.clip(1e-12)
    ends = runs(mean, count, share * float(y.var()) * len(y), most)
    values = [float(np.average(m, weights=c)) for m, c in zip(np.split(mean, ends), np.split(count, ends))]
    limits = [_limit(inputs[end - 1], inputs[end], (a + b) / 2) for end, (a, b) in zip(ends, pairwise(values))]
    found = Steps(tuple(map(short, limits)), tuple(map(short, values)))
    return Rise() if float(((found.at(x) - y) ** 2).mean()) > share * float(y.var()) else found


def _limit(low: float, high: float, value: float) -> float:
    """Where between two inputs GELU passes a value; the middle where it does not."""
    inputs = np.linspace(low, high, BINS)
    passes = np.nonzero(np.diff(Rise().at(inputs) > value))[0]
    return float(inputs[passes[0]]) if len(passes) else (low + high) / 2


def runs(
    values: Float[np.ndarray, "item"], weights: Float[np.ndarray, "item"], tolerance: float, most: int
) -> list[int]:
    """Where to cut an ordered row into the fewest runs whose squared distances from their means sum to at most `tolerance`."""
    total, first, second = (np.concatenate([[0.0], np.cumsum(weights * values**power)]) for power in (0, 1, 2))
    size = len(values)

    def lost(starts: np.ndarray, end: int) -> np.ndarray:
        weight = (total[end] - total[starts]).clip(1e-300)
        return second[end] - second[starts] - (first[end] - first[starts]) ** 2 / weight

    best = np.array([0.0, *(lost(np.array([0]), end)[0] for end in range(1, size + 1))])
    back: list[np.ndarray] = []
    while best[size] > tolerance + 1e-12 and len(back) + 1 < min(most, size):
        following, origin = np.full(size + 1, np.inf), np.zeros(size + 1, dtype=int)
        for end in range(len(back) + 2, size + 1):
            starts = np.arange(len(back) + 1, end)
            costs = best[starts] + lost(starts, end)
            origin[end] = starts[costs.argmin()]
            following[end] = costs.min()
        best = following
        back.append(origin)
    ends, end = [], size
    for origin in reversed(back):
        end = int(origin[end])
        ends.append(end)
    return ends[::-1]
