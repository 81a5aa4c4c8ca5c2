"""Programs that count: attention averages, an MLP block turns the average into a decision."""

from __future__ import annotations

from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, layout
from cutaway.organisms.compiled.writing import SHARP, Gate, Head, Layout


def step(L: Layout, count: Float[Tensor, "1 width"], low: float, high: float, above: int, below: int) -> Gate:
    """Writes token `above` where `count` ≥ `high` and token `below` where it is ≤ `low`, flat on either side.

    The step is relu((count − low)/gap) − relu((count − high)/gap); `below` gets 1 minus it.
    """
    gap = high - low
    when = torch.cat([count / gap, count / gap, L.read("one")])
    threshold = torch.tensor([low / gap, high / gap, 0.0], dtype=torch.float64)
    up, down = L.write("out")[:, above], L.write("out")[:, below]
    return Gate(when, threshold, torch.stack([up - down, down - up, down], dim=1))


def majority(rng: Random) -> Program:
    """One head that averages +1 for yes and −1 for no over the whole row, and an MLP block that takes the sign."""
    letters, length = rng.randint(2, 5), rng.randint(6, 9)
    yes, no = letters, letters + 1
    L = layout(letters + 2, length, False, rng, balance=1)
    T, balance = L.read("token"), L.read("balance")
    nothing = torch.zeros(1, L.width, dtype=torch.float64)
    average = Head(nothing, nothing, length * (T[[yes]] - T[[no]]), L.write("balance"))
    sign = step(L, balance, -0.5, 0.5, above=yes, below=no)

    def votes(row: Row) -> int:
        return row.count(yes) - row.count(no)

    def sample(rng: Random) -> Row:
        while True:
            row = tuple(rng.choice((yes, no, rng.randrange(letters))) for _ in range(length))
            if votes(row) != 0:
                return row

    return Program(
        name="majority",
        description="whether yes or no is more frequent; a head averages the row, an MLP block takes the sign",
        vocabulary=(*LETTERS[:letters], "yes", "no"),
        length=length,
        layout=L,
        parts=(Part("average", average), Part("sign", sign, after=("average",), final=True)),
        sample=sample,
        solve=lambda row: yes if votes(row) > 0 else no,
        twist=lambda row, rng: tuple({yes: no, no: yes}.get(token, token) for token in row),
    )


def brackets(rng: Random) -> Program:
    """Two heads count opening and closing brackets against the start token; an MLP block says close or end.

    A head that sees the start token and n brackets with equal weight gives the start token 1/(n+1): the sink makes a
    count out of an average.
    """
    letters, length = rng.randint(2, 5), rng.randint(6, 8)
    start, opening, closing, end = letters, letters + 1, letters + 2, letters + 3
    L = layout(letters + 4, length, False, rng, opened=1, closed=1)
    T, one = L.read("token"), L.read("one")
    count_open = Head(SHARP * one, T[[start]] + T[[opening]], T[[start]], L.write("opened"))
    count_close = Head(SHARP * one, T[[start]] + T[[closing]], T[[start]], L.write("closed"))
    most = length // 2  # opening brackets of a prefix with one more opening than closing
    smallest = 1 / most - 1 / (most + 1)
    depth = (L.read("closed") - L.read("opened")) / smallest
    decide = step(L, depth, 0.25, 0.75, above=closing, below=end)

    def depths(row: Row) -> int:
        return row.count(opening) - row.count(closing)

    def sample(rng: Random) -> Row:
        while True:
            row: Row = (start,)
            while len(row) < length:
                kinds = [opening, rng.randrange(letters)] + [closing] * 2 * (depths(row) > 0)
                row = (*row, rng.choice(kinds))
            if closing in row:
                return row

    def twist(row: Row, rng: Random) -> Row:
        """An open row has its surplus of opening brackets turned to words; a closed one its last closing bracket."""
        if depths(row) == 0:
            return changed(row, length - 1 - row[::-1].index(closing), rng.randrange(letters))
        while depths(row) > 0:
            row = changed(row, length - 1 - row[::-1].index(opening), rng.randrange(letters))
        return row

    return Program(
        name="brackets",
        description="close while a bracket is open, else end; two heads that count, an MLP block that compares",
        vocabulary=(*LETTERS[:letters], "<start>", "(", ")", "<end>"),
        length=length,
        layout=L,
        parts=(
            Part("count open", count_open),
            Part("count close", count_close),
            Part("decide", decide, after=("count open", "count close"), final=True),
        ),
        sample=sample,
        solve=lambda row: closing if depths(row) > 0 else end,
        twist=twist,
    )
