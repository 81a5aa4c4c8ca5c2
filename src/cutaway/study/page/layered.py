"""Where the nodes and lines of a small graph lie: in rows, few crossings, no line through a node.

Every line that passes a row takes a narrow place of its own in it. Rows are ordered by the mean place of their neighbours,
up and down in turn (Sugiyama, Tagawa and Toda 1981, doi 10.1109/TSMC.1981.4308636); then every place is pulled
towards its neighbours as far as its row allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

NODE, LINE = 66.0, 12.0  # pixels that a node and a passing line take of a row
SWEEPS = 12

Key = str | tuple[int, int]  # a node by its name; a passing line by (number, row)


@dataclass(frozen=True)
class Link:
    """A line from `start` to `end`, which it meets `offset` pixels right of the middle."""

    start: str
    end: str
    offset: float = 0.0


@dataclass(frozen=True)
class Layout:
    """`x` of every node's middle, from 0; `ways`: for each link its (x, row) from start to end; `width` of it all."""

    x: dict[str, float]
    ways: list[list[tuple[float, int]]]
    width: float


def layered(rows: Mapping[str, int], links: Sequence[Link], wide: Mapping[str, float] | None = None) -> Layout:
    """Places nodes, given the row of each (0 is the first), and the links between them; `wide`: the pixels that each takes.

    >>> layered({"a": 0, "b": 1}, [Link("a", "b")]).x
    {'a': 33.0, 'b': 33.0}
    """
    lines = [_stops(number, link, rows) for number, link in enumerate(links)]
    order = _in_rows(rows, lines)
    sizes = {key: _wide(key, wide or {}) for row in order for key in row}
    pairs = [pair for line in lines for pair in pairwise(line)]
    below, above = _neighbours(pairs), _neighbours([(b, a) for a, b in pairs])
    for sweep in range(SWEEPS):
        _reorder(order, below if sweep % 2 == 0 else above, upwards=sweep % 2 == 0)
    x = {key: place for row in order for key, place in zip(row, _packed(row, sizes))}
    for sweep in range(2 * SWEEPS):
        near = below if sweep % 2 == 0 else above
        for row in order if sweep % 2 == 0 else reversed(order):
            wanted = [_mean([x[other] for other in near.get(key, ())], x[key]) for key in row]
            x.update(zip(row, _apart(row, wanted, sizes)))
    left = min((x[key] - sizes[key] / 2 for key in x), default=0.0)
    right = max((x[key] + sizes[key] / 2 for key in x), default=0.0)
    ways = [[(x[key] - left, _row(key, rows)) for key in line] for line in lines]
    for way, link in zip(ways, links):
        way[-1] = (way[-1][0] + link.offset, way[-1][1])
    return Layout({key: x[key] - left for key in x if isinstance(key, str)}, ways, right - left)


def _stops(number: int, link: Link, rows: Mapping[str, int]) -> list[Key]:
    between: list[Key] = [(number, row) for row in range(rows[link.start] + 1, rows[link.end])]
    return [link.start, *between, link.end]


def _row(key: Key, rows: Mapping[str, int]) -> int:
    return rows[key] if isinstance(key, str) else key[1]


def _in_rows(rows: Mapping[str, int], lines: Sequence[Sequence[Key]]) -> list[list[Key]]:
    """Nodes in the order given, the passing lines after them."""
    order: list[list[Key]] = [[] for _ in range(max(rows.values(), default=-1) + 1)]
    for name, row in rows.items():
        order[row].append(name)
    for line in lines:
        for key in line[1:-1]:
            order[_row(key, rows)].append(key)
    return order


def _neighbours(pairs: Sequence[tuple[Key, Key]]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = {}
    for start, end in pairs:
        found.setdefault(end, []).append(start)
    return found


def _reorder(order: list[list[Key]], near: Mapping[Key, Sequence[Key]], upwards: bool) -> None:
    """Sorts every row by where its neighbours are, as a share of their row."""
    share = {key: (i + 0.5) / len(row) for row in order for i, key in enumerate(row)}
    for row in order if upwards else reversed(order):
        row.sort(key=lambda key: _mean([share[other] for other in near.get(key, ())], share[key]))
        share.update({key: (i + 0.5) / len(row) for i, key in enumerate(row)})


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _wide(key: Key, wide: Mapping[str, float]) -> float:
    return wide.get(key, NODE) if isinstance(key, str) else LINE


def _packed(row: Sequence[Key], sizes: Mapping[Key, float]) -> list[float]:
    """Side by side, the middle at 0."""
    at, places = -sum(sizes[key] for key in row) / 2, []
    for key in row:
        places.append(at + sizes[key] / 2)
        at += sizes[key]
    return places


def _apart(row: Sequence[Key], wanted: Sequence[float], sizes: Mapping[Key, float]) -> list[float]:
    """Near what is wanted, in this order and apart: halfway between pushing to the right and pushing to the left."""
    gaps = [(sizes[a] + sizes[b]) / 2 for a, b in pairwise(row)]
    right, left = list(wanted), list(wanted)
    for i, gap in enumerate(gaps):
        right[i + 1] = max(right[i + 1], right[i] + gap)
    for i, gap in reversed(list(enumerate(gaps))):
        left[i] = min(left[i], left[i + 1] - gap)
    return [(a + b) / 2 for a, b in zip(right, left)]
