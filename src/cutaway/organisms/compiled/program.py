"""What a program is: a task stated in plain Python, and the heads and gates that solve it.

`solve` is the specification that the written network is tested against; it never sees the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from cutaway.organisms.compiled.organism import Group
from cutaway.organisms.compiled.writing import Gate, Head, Layout

Row = tuple[int, ...]

LETTERS = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibex", "jay", "kid", "lynx")
"""Words without a meaning of their own; a program takes the first few."""


@dataclass(frozen=True)
class Part:
    """One head or gate of a program, which must run after the parts named in `after`.

    `final` says that it writes logits itself, so that a faint copy of it anywhere later has a faint effect; `dormant`,
    that it is silent on the reference.
    """

    name: str
    what: Head | Gate
    after: tuple[str, ...] = ()
    final: bool = False
    dormant: bool = False


@dataclass(frozen=True)
class Program:
    """A task on rows of `length` tokens and the parts that solve it at the last position.

    `sample` draws a valid row, `solve` gives its right next token, `twist` tries to make a matched row with another.
    Only rows for which `eligible` holds are decisions in which every part is used; the others still serve as donors.
    `asked` draws the row of decision 0, 1, … where these are not drawn as donors are. `uses` names the parts that a row's
    decision uses, where that differs from row to row. `groups` names parts whose use shows only together.
    """

    name: str
    description: str
    vocabulary: tuple[str, ...]
    length: int
    layout: Layout
    parts: tuple[Part, ...]
    sample: Callable[[Random], Row]
    solve: Callable[[Row], int]
    twist: Callable[[Row, Random], Row]
    eligible: Callable[[Row], bool] = lambda row: True
    asked: Callable[[Random, int], Row] | None = None
    uses: Callable[[Row], frozenset[str]] | None = None
    groups: tuple[Group, ...] = ()

    @property
    def positional(self) -> bool:
        """Whether it has positions to read."""
        return "position" in dict(self.layout.sizes)

    def decisions(self, count: int, rng: Random) -> list[tuple[Row, Row]]:
        """`count` different eligible rows, each with a matched row whose right token is another."""
        found: dict[Row, Row] = {}
        for _ in range(1000 * count):
            row = self.sample(rng) if self.asked is None else self.asked(rng, len(found))
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


def decided_by(
    place: int, nexts: Sequence[int], length: int, layout: Layout, part: Part, name: str, description: str
) -> Program:
    """One part on rows of free letters: letter i at `place` is followed by letter `nexts[i]`."""
    letters = len(nexts)
    return Program(
        name=name,
        description=description,
        vocabulary=LETTERS[:letters],
        length=length,
        layout=layout,
        parts=(part,),
        sample=lambda rng: tuple(rng.choices(range(letters), k=length)),
        solve=lambda row: nexts[row[place]],
        twist=lambda row, rng: changed(row, place, other_than(row[place], range(letters), rng)),
    )


def changed(row: Row, at: int, token: int) -> Row:
    """`row` with `token` at position `at`."""
    return (*row[:at], token, *row[at + 1 :])


def other_than(token: int, among: range | tuple[int, ...], rng: Random) -> int:
    """A random member of `among` that is not `token`."""
    return rng.choice([member for member in among if member != token])
