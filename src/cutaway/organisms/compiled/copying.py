"""Programs of heads alone: copy from a place, copy by content, induction."""

from __future__ import annotations

from random import Random

from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, decided_by, layout, other_than
from cutaway.organisms.compiled.writing import SHARP, Head


def first_token(rng: Random) -> Program:
    """One head that attends to position 0 and copies its token."""
    letters, length = rng.randint(5, 12), rng.randint(5, 9)
    L = layout(letters, length, True, rng)
    head = Head(SHARP * L.read("one"), L.read("position")[:1], L.read("token"), L.write("out"))
    return decided_by(
        0,
        range(letters),
        length,
        L,
        Part("copy", head, final=True),
        name="first-token",
        description="the next word is the first word of the row; one head looks at position 0",
    )


def previous_token(rng: Random) -> Program:
    """One head in which every position attends to the one before and copies its token."""
    letters, length = rng.randint(5, 12), rng.randint(5, 9)
    L = layout(letters, length, True, rng)
    P = L.read("position")
    head = Head(SHARP * P[1:], P[:-1], L.read("token"), L.write("out"))
    return decided_by(
        length - 2,
        range(letters),
        length,
        L,
        Part("copy", head, final=True),
        name="previous-token",
        description="the next word is the last word but one; one head looks one position back",
    )


def induction(rng: Random) -> Program:
    """… A B … A -> B: a previous-token head feeds the keys of a second (Olsson et al. 2022, arXiv 2209.11895)."""
    letters, length = rng.randint(8, 12), rng.randint(7, 9)
    start = letters  # token 0 … letters-1 are words, then the start token
    L = layout(letters + 1, length, True, rng, previous=letters + 1)
    P, T = L.read("position"), L.read("token")
    back = Head(SHARP * P[1:], P[:-1], T, L.write("previous"))
    match = Head(SHARP * T, L.read("previous"), T, L.write("out"))

    def sample(rng: Random) -> Row:
        words = rng.sample(range(letters), length - 2)
        return (start, *words, rng.choice(words[:-1]))

    def solve(row: Row) -> int:
        return row[row.index(row[-1]) + 1]

    def twist(row: Row, rng: Random) -> Row:
        """The first occurrence of the repeated word changes places with another word."""
        here = row.index(row[-1])
        there = other_than(here, range(1, length - 2), rng)
        return changed(changed(row, here, row[there]), there, row[here])

    return Program(
        name="induction",
        description="A B … A is followed by B; a previous-token head feeds the keys of an induction head",
        vocabulary=(*LETTERS[:letters], "<start>"),
        length=length,
        layout=L,
        parts=(Part("back", back), Part("match", match, after=("back",), final=True)),
        sample=sample,
        solve=solve,
        twist=twist,
    )


def quote(rng: Random) -> Program:
    """One head that attends to the opening quote, wherever it is, and names the quote that closes it."""
    letters, length = rng.randint(5, 12), rng.randint(5, 9)
    quotes = (letters, letters + 1)
    L = layout(letters + 2, length, False, rng)
    marks = L.read("token")[list(quotes)]
    head = Head(SHARP * L.read("one"), marks.sum(0, keepdim=True), marks, L.write("out")[:, list(quotes)])

    def sample(rng: Random) -> Row:
        row = tuple(rng.choices(range(letters), k=length))
        return changed(row, rng.randrange(length - 1), rng.choice(quotes))

    def solve(row: Row) -> int:
        return next(token for token in row if token in quotes)

    def twist(row: Row, rng: Random) -> Row:
        return changed(row, row.index(solve(row)), other_than(solve(row), quotes, rng))

    return Program(
        name="quote",
        description="which quote closes the string; one head looks for the one that opened it",
        vocabulary=(*LETTERS[:letters], "'", '"'),
        length=length,
        layout=L,
        parts=(Part("look", head, final=True),),
        sample=sample,
        solve=solve,
        twist=twist,
    )
