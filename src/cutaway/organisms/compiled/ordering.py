"""Programs that write a list in another order, one word at a time: backwards, and from small to large."""

from __future__ import annotations

from random import Random

import torch

from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, layout, other_than
from cutaway.organisms.compiled.writing import SHARP, Gate, Head

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def reverse(rng: Random) -> Program:
    """A B C D <back> D C -> B: a head finds where the list ends, an MLP block computes the place, a head copies.

    In a row of `length` tokens whose list ends at place n, the next word is that of place 2n − length.
    """
    letters, length = rng.randint(8, 12), rng.randint(8, 10)
    back = letters
    ends = range((length + 1) // 2, length)
    L = layout(letters + 1, length, True, rng, end=length, place=length)
    T, P = L.read("token"), L.read("position")
    find = Head(SHARP * L.read("one"), T[[back]], P, L.write("end"))
    places = L.write("place")[:, [2 * end - length for end in ends]]
    resolve = Gate(2 * L.read("end")[list(ends)], torch.ones(len(ends), dtype=torch.float64), places)
    follow = Head(SHARP * L.read("place"), P, T[:letters], L.write("out")[:, :letters])

    def begun(words: Row) -> Row:
        return (*words, back, *words[::-1])[:length]

    def sample(rng: Random) -> Row:
        return begun(tuple(rng.choices(range(letters), k=rng.choice(ends))))

    def target(row: Row) -> int:
        return 2 * row.index(back) - length

    def twist(row: Row, rng: Random) -> Row:
        """Another word in the place that is next, or a list of another length."""
        if rng.random() < 0.5:
            return changed(row, target(row), other_than(row[target(row)], range(letters), rng))
        words = (*row[: row.index(back)], *rng.choices(range(letters), k=length))
        return begun(words[: other_than(row.index(back), tuple(ends), rng)])

    return Program(
        name="reverse",
        description="a list is repeated backwards; a head finds its end, an MLP block the next place, a head copies",
        vocabulary=(*LETTERS[:letters], "<back>"),
        length=length,
        layout=L,
        parts=(
            Part("find", find),
            Part("resolve", resolve, after=("find",)),
            Part("follow", follow, after=("resolve",), final=True),
        ),
        sample=sample,
        solve=lambda row: row[target(row)],
        twist=twist,
    )


def sort(rng: Random) -> Program:
    """3 1 5 <sort> 1 -> 3: one head, which attends to the smallest number that is larger than the last one."""
    numbers, length = rng.randint(7, 10), rng.randint(7, 9)
    begin = numbers
    ends = range((length + 1) // 2, min(length, numbers))
    L = layout(numbers + 1, length, False, rng)
    T = L.read("token")
    size = torch.arange(numbers, dtype=torch.float64)
    last = torch.arange(-1, numbers, dtype=torch.float64).roll(-1)  # the last number; -1 where none is written yet
    wanted = (size > last[:, None]) * (numbers - size)  # score of each number after each last token
    least = Head(SHARP * T, wanted @ T[:numbers], T[:numbers], L.write("out")[:, :numbers])

    def begun(words: Row) -> Row:
        return (*words, begin, *sorted(words))[:length]

    def sample(rng: Random) -> Row:
        return begun(tuple(rng.sample(range(numbers), rng.choice(ends))))

    def solve(row: Row) -> int:
        words = row[: row.index(begin)]
        return sorted(words)[length - 1 - len(words)]

    def twist(row: Row, rng: Random) -> Row:
        """The number that is next becomes another that is not in the list and larger than the last one."""
        written = row[row.index(begin) + 1 :]
        free = [n for n in range(numbers) if n not in row and n > max(written, default=-1)]
        return changed(row, row.index(solve(row)), rng.choice(free)) if free else row

    return Program(
        name="sort",
        description="a list is repeated from small to large; one head finds the next larger number",
        vocabulary=(*NUMBERS[:numbers], "<sort>"),
        length=length,
        layout=L,
        parts=(Part("least", least, final=True),),
        sample=sample,
        solve=solve,
        twist=twist,
    )
