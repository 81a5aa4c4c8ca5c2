"""Programs with a table in an MLP block: bigrams, facts, a condition, a pointer that is followed."""

from __future__ import annotations

from random import Random

import torch

from cutaway.organisms.compiled.program import LETTERS, Part, Program, Row, changed, decided_by, layout, other_than
from cutaway.organisms.compiled.writing import SHARP, Gate, Head


def full(count: int, value: float) -> torch.Tensor:
    """`count` thresholds of the same value."""
    return torch.full((count,), value, dtype=torch.float64)


def bigram(rng: Random) -> Program:
    """One MLP block that knows which word follows which; no head is used."""
    letters, length = rng.randint(5, 12), rng.randint(5, 9)
    after = rng.sample(range(letters), letters)
    L = layout(letters, length, False, rng)
    table = Gate(2 * L.read("token"), full(letters, 1.0), L.write("out")[:, after])
    return decided_by(
        length - 1,
        after,
        length,
        L,
        Part("table", table, final=True),
        name="bigram",
        description="each word has one successor; an MLP block looks it up from the last word alone",
    )


def fact(rng: Random) -> Program:
    """A head moves the subject to the end, an MLP block there looks up its object."""
    facts, letters, length = rng.randint(3, 6), rng.randint(3, 8), rng.randint(5, 9)
    subjects = tuple(range(letters, letters + facts))
    objects = dict(zip(subjects, rng.sample(range(letters + facts, letters + 2 * facts), facts)))
    L = layout(letters + 2 * facts, length, False, rng, subject=facts)
    names = L.read("token")[list(subjects)]
    move = Head(SHARP * L.read("one"), names.sum(0, keepdim=True), names, L.write("subject"))
    table = Gate(2 * L.read("subject"), full(facts, 1.0), L.write("out")[:, list(objects.values())])

    def sample(rng: Random) -> Row:
        row = tuple(rng.choices(range(letters), k=length))
        return changed(row, rng.randrange(length - 1), rng.choice(subjects))

    def subject(row: Row) -> int:
        return next(token for token in row if token in objects)

    return Program(
        name="fact",
        description="a subject has one object; a head moves the subject to the end, an MLP block looks up the object",
        vocabulary=(
            *LETTERS[:letters],
            *(f"land{i}" for i in range(facts)),
            *(f"city{i}" for i in range(facts)),
        ),
        length=length,
        layout=L,
        parts=(Part("move", move), Part("table", table, after=("move",), final=True)),
        sample=sample,
        solve=lambda row: objects[subject(row)],
        twist=lambda row, rng: changed(row, row.index(subject(row)), other_than(subject(row), subjects, rng)),
    )


def conditional(rng: Random) -> Program:
    """If the flag is on, the first word, else a default: two heads feed the and-gates of an MLP block."""
    letters, fillers, length = rng.randint(4, 8), 3, rng.randint(5, 9)
    on, off, default = letters + fillers, letters + fillers + 1, letters + fillers + 2
    L = layout(letters + fillers + 3, length, True, rng, flag=1, value=letters)
    T, O, one, flag = L.read("token"), L.write("out"), L.read("one"), L.read("flag")
    see = Head(SHARP * one, T[[on, off]].sum(0, keepdim=True), T[[on]], L.write("flag"))
    hold = Head(SHARP * one, L.read("position")[:1], T[:letters], L.write("value"))
    both = Gate(  # relu(2 value + 2 flag - 3) for each value, relu(1 - 2 flag) for the default
        torch.cat([2 * L.read("value") + 2 * flag, -2 * flag]),
        torch.cat([full(letters, 3.0), full(1, -1.0)]),
        torch.cat([O[:, :letters], O[:, [default]]], dim=1),
    )

    def sample(rng: Random) -> Row:
        rest = tuple(rng.choices(range(letters, letters + fillers), k=length - 1))
        return changed((rng.randrange(letters), *rest), rng.randrange(1, length - 1), rng.choice((on, off)))

    def twist(row: Row, rng: Random) -> Row:
        if rng.random() < 0.5:
            return changed(row, row.index(on), off)
        return changed(row, 0, other_than(row[0], range(letters), rng))

    return Program(
        name="conditional",
        description="the first word if the flag is on, else a default; two heads and the and-gates of an MLP block",
        vocabulary=(*LETTERS[:letters], "so", "and", "then", "on", "off", "none"),
        length=length,
        layout=L,
        parts=(Part("see", see), Part("hold", hold), Part("both", both, after=("see", "hold"), final=True)),
        sample=sample,
        solve=lambda row: row[0] if on in row else default,
        twist=twist,
        eligible=lambda row: on in row,  # with the flag off the value is not used
    )


def pointer(rng: Random) -> Program:
    """Head, MLP block, head: find the pointer word, turn it into a place, copy the word at that place."""
    places, letters, tail = rng.randint(3, 5), rng.randint(7, 12), rng.randint(3, 4)
    pointers, filler = tuple(range(letters, letters + places)), letters + places
    length = places + tail
    L = layout(letters + places + 1, length, True, rng, pointer=places, place=places)
    names, P = L.read("token")[list(pointers)], L.read("position")
    find = Head(SHARP * L.read("one"), names.sum(0, keepdim=True), names, L.write("pointer"))
    resolve = Gate(2 * L.read("pointer"), full(places, 1.0), L.write("place"))
    follow = Head(SHARP * L.read("place"), P[:places], L.read("token")[:letters], L.write("out")[:, :letters])

    def sample(rng: Random) -> Row:
        row = (*rng.sample(range(letters), places), *[filler] * tail)
        return changed(row, rng.randrange(places, length - 1), rng.choice(pointers))

    def target(row: Row) -> int:
        return next(token for token in row if token in pointers) - letters

    def twist(row: Row, rng: Random) -> Row:
        here = target(row) + letters
        return changed(row, row.index(here), other_than(here, pointers, rng))

    return Program(
        name="pointer",
        description="a pointer word names a place, the next word is the one there; head, MLP block, head in a chain",
        vocabulary=(*LETTERS[:letters], *("first", "second", "third", "fourth", "fifth")[:places], "…"),
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
