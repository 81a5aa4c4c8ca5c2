"""Programs that tally: a head that also sees a start token makes a number of tokens, n, into a share, 1/(n+1).

An MLP block turns the share back into an answer by steps that are flat on either side: it saturates, so most small
changes of what it reads change nothing.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.compiled.ordering import NUMBERS
from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, layout, other_than
from cutaway.organisms.compiled.writing import SHARP, Gate, Head, Layout


def stairs(L: Layout, share: Float[Tensor, "1 width"], tokens: list[int], first: int) -> Gate:
    """Writes `tokens[i]` where `share` is 1/(first + i + 1), for the last one also below.

    Stair i takes token i away and writes token i+1: relu((high − share)/gap) − relu((low − share)/gap).
    """
    when, threshold, then = [0 * share + L.read("one")], [0.0], [L.write("out")[:, tokens[0]]]
    for i, (here, above) in enumerate(pairwise(tokens)):
        few, many = 1 / (first + i + 1), 1 / (first + i + 2)
        high, low = few - (few - many) / 4, many + (few - many) / 4
        up = L.write("out")[:, above] - L.write("out")[:, here]
        when += [-share / (high - low)] * 2
        threshold += [-high / (high - low), -low / (high - low)]
        then += [up, -up]
    return Gate(torch.cat(when), torch.tensor(threshold, dtype=torch.float64), torch.stack(then, dim=1))


def count(rng: Random) -> Program:
    """How often the word "yes" is in the row, up to a most: a head tallies, an MLP block says the number."""
    letters, length, most = rng.randint(3, 6), rng.randint(7, 9), rng.randint(3, 4)
    yes, start, numbers = letters, letters + 1, range(letters + 2, letters + 3 + most)
    L = layout(letters + 3 + most, length, False, rng, share=1)
    T = L.read("token")
    tally = Head(SHARP * L.read("one"), T[[start]] + T[[yes]], T[[start]], L.write("share"))
    say = stairs(L, L.read("share"), list(numbers), first=0)

    def sample(rng: Random) -> Row:
        row = (start, *rng.choices(range(letters), k=length - 1))
        for place in rng.sample(range(1, length), rng.randint(0, most)):
            row = changed(row, place, yes)
        return row

    def twist(row: Row, rng: Random) -> Row:
        """One yes more or less."""
        place = rng.randrange(1, length)
        return changed(row, place, rng.randrange(letters) if row[place] == yes else yes)

    return Program(
        name="count",
        description=f"how often yes occurs, up to {most}; a head tallies, an MLP block with steps says the number",
        vocabulary=(*LETTERS[:letters], "yes", "<start>", *NUMBERS[: most + 1]),
        length=length,
        layout=L,
        parts=(Part("tally", tally), Part("say", say, after=("tally",), final=True)),
        sample=sample,
        solve=lambda row: numbers[min(row.count(yes), most)],
        twist=twist,
    )


def histogram(rng: Random) -> Program:
    """How often the last word is in the row, itself included: once, twice or more."""
    letters, length = rng.randint(4, 8), rng.randint(6, 9)
    start, kinds = letters, [letters + 1, letters + 2, letters + 3]
    L = layout(letters + 4, length, False, rng, share=1)
    T = L.read("token")
    same = torch.cat([T[:letters], T[:letters].sum(0, keepdim=True)])
    tally = Head(SHARP * same, torch.cat([T[:letters], T[[start]]]), T[[start]], L.write("share"))
    say = stairs(L, L.read("share"), kinds, first=1)

    def sample(rng: Random) -> Row:
        last, others = rng.randrange(letters), rng.randrange(letters)
        row = (start, *(other_than(last, range(letters), rng) for _ in range(length - 2)), last)
        for place in rng.sample(range(1, length - 1), rng.randint(0, 3)):
            row = changed(row, place, rng.choice((last, last, others)))
        return row

    def twist(row: Row, rng: Random) -> Row:
        """One of the words before the last becomes it, or stops being it."""
        place = rng.randrange(1, length - 1)
        if row[place] == row[-1]:
            return changed(row, place, other_than(row[-1], range(letters), rng))
        return changed(row, place, row[-1])

    return Program(
        name="histogram",
        description="whether the last word occurs once, twice or more; a head tallies it, an MLP block with steps says",
        vocabulary=(*LETTERS[:letters], "<start>", "once", "twice", "more"),
        length=length,
        layout=L,
        parts=(Part("tally", tally), Part("say", say, after=("tally",), final=True)),
        sample=sample,
        solve=lambda row: kinds[min(row[1:].count(row[-1]), 3) - 1],
        twist=twist,
    )
