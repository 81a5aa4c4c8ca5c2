"""What a program is: a task stated in plain Python, and the heads and gates that solve it.

`solve` is the specification that the written network is tested against; it never sees the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cutaway.organisms.compiled.writing import Gate, Head, Layout

Row = tuple[int, ...]

LETTERS = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibex", "jay", "kid", "lynx")
"""Words without a meaning of their own; a program takes the first few."""


@dataclass(frozen=True)
class Part:
    """One head or gate of a program, which must run after the parts named in `after`.

    `final` says that it writes logits itself, so that a faint copy of it anywhere later has a faint effect.
    """

    name: str
    what: Head | Gate
    after: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True)
class Program:
    """A task on rows of `length` tokens and the parts that solve it at the last position.

    `sample` draws a valid row, `solve` gives its right next token, `twist` tries to make a matched row with another.
    Only rows for which `eligible` holds are decisions in which every part is used; the others still serve as donors.
    """

    name: str
    description: str
    vocabulary: tuple[str, ...]
    length: int
    positional: bool
    layout: Layout
    parts: tuple[Part, ...]
    sample: Callable[[Random], Row]
    solve: Callable[[Row], int]
    twist: Callable[[Row, Random], Row]
    eligible: Callable[[Row], bool] = lambda row: True

    def decisions(self, count: int, rng: Random) -> list[tuple[Row, Row]]:
        """`count` different eligible rows, each with a matched row whose right token is another."""
        found: dict[Row, Row] = {}
        for _ in range(1000 * count):
            row = self.sample(rng)
            if row in found or not self.eligible(row):
                continue
            other = self.twist(row, rng)
            if self.solve(other) != self.solve(row):
                found[row] = other
            if len(found) == count:
                return list(found.items())
        raise ValueError(
            f"program {self.name!r} gave {len(found)} different decisions, not {count}; give it a longer row"
        )


def layout(vocabulary: int, length: int, positional: bool, rng: Random, **more: int) -> Layout:
    """The subspaces every program has, those of its own in `more`, and a spare one that nothing of use reads."""
    positions = {"position": length} if positional else {}
    sizes = {"one": 1, "token": vocabulary, **positions, **more, "out": vocabulary, "spare": rng.randint(4, 8)}
    return Layout(tuple(sizes.items()))


def changed(row: Row, at: int, token: int) -> Row:
    """`row` with `token` at position `at`."""
    return (*row[:at], token, *row[at + 1 :])


def other_than(token: int, among: range | tuple[int, ...], rng: Random) -> int:
    """A random member of `among` that is not `token`."""
    return rng.choice([member for member in among if member != token])
