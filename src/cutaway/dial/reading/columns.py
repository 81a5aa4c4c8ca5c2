"""Where boxes and lines lie in columns: few crossings, and no line through a box.

A line that passes a column takes a narrow place of its own in it; columns are ordered by the mean height of their neighbours, in
turn from both sides (Sugiyama, Tagawa and Toda 1981, doi 10.1109/TSMC.1981.4308636).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8
LINE = 20.0
"""Pixels that a passing line takes of a column."""

Pair = tuple[Hashable, Hashable]


@dataclass(frozen=True)
class Layout:
    """The middle height of each box from 0, for each line the heights where it passes the columns between, and that of it all."""

    y: dict[Hashable, float]
    ways: list[list[float]]
    height: float


def columns(column: Mapping[Hashable, int], pairs: Sequence[Pair], box: float) -> Layout:
    """Places boxes that each take `box` pixels of their column, and the lines between `pairs` of them, from left to right.

    >>> from cutaway.dial.reading.columns import columns
    >>> columns({"a": 0, "b": 1}, [("a", "b")], 50.0)
    Layout(y={'a': 25.0, 'b': 25.0}, ways=[[]], height=50.0)
    """
    stops = [_stops(number, pair, column) for number, pair in enumerate(pairs)]
    where = {**column, **{stop: at for line in stops for stop, at in line}}
    size = {key: box if key in column else LINE for key in where}
    near: dict[Hashable, list[Hashable]] = {key: [] for key in where}
    for (start, end), line in zip(pairs, stops):
        for one, other in pairwise([start, *(stop for stop, _ in line), end]):
            near[one].append(other)
            near[other].append(one)
    stacks: dict[int, list[Hashable]] = {}
    for key, at in sorted(where.items(), key=lambda each: each[1]):
        stacks.setdefault(at, []).append(key)
    height = max((sum(size[key] for key in stack) for stack in stacks.values()), default=0.0)
    y: dict[Hashable, float] = {}
    for stack in stacks.values():
        y.update(_stacked(stack, size, height))
    for sweep in range(SWEEPS):
        for at in sorted(stacks, reverse=bool(sweep % 2)):
            stacks[at] = sorted(stacks[at], key=lambda key: _mean([y[other] for other in near[key]], y[key]))
            y.update(_stacked(stacks[at], size, height))
    return Layout({key: y[key] for key in column}, [[y[stop] for stop, _ in line] for line in stops], height)


def apart(heights: Sequence[float], least: float) -> list[float]:
    """The heights moved to be at least so far from one another, in the order they were in: each crowd lies around its mean.

    >>> from cutaway.dial.reading.columns import apart
    >>> apart([10.0, 90.0, 14.0], 12.0)
    [6.0, 90.0, 18.0]
    """
    crowds: list[list[int]] = []
    for at in sorted(range(len(heights)), key=lambda at: heights[at]):
        crowds.append([at])
        while (
            len(crowds) > 1 and _spread(crowds[-2], heights, least)[-1] + least > _spread(crowds[-1], heights, least)[0]
        ):
            crowds[-2:] = [crowds[-2] + crowds[-1]]
    found = {at: y for crowd in crowds for at, y in zip(crowd, _spread(crowd, heights, least))}
    return [found[at] for at in range(len(heights))]


def _spread(crowd: Sequence[int], heights: Sequence[float], least: float) -> list[float]:
    """Around the mean of their heights, one below the other."""
    middle = sum(heights[at] for at in crowd) / len(crowd)
    return [middle + (place - (len(crowd) - 1) / 2) * least for place in range(len(crowd))]


def _stops(number: int, pair: Pair, column: Mapping[Hashable, int]) -> list[tuple[Hashable, int]]:
    """A name for each place at which a line passes a column, and which column."""
    return [((number, at), at) for at in range(column[pair[0]] + 1, column[pair[1]])]


def _stacked(stack: Sequence[Hashable], size: Mapping[Hashable, float], height: float) -> dict[Hashable, float]:
    """One above the other, around the middle."""
    at, found = (height - sum(size[key] for key in stack)) / 2, {}
    for key in stack:
        found[key] = at + size[key] / 2
        at += size[key]
    return found


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise
