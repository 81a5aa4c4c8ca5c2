"""The programs that networks are trained to implement with interchange interventions: five wirings.

Their rows are built so that any variable of one row is a legal value in another: keys come in fixed places, every key
once, so that what a query looks for is always there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cutaway.organisms.compiled.program import LETTERS
from cutaway.organisms.interchange.program import EMBED, Program, Read, Rows, Variable

KEYS = ("red", "green", "blue")
PAIRS = len(KEYS)
LENGTH = 2 * PAIRS + 1


def _pairs(count: int, values: Int[Tensor, "row pair"], generator: torch.Generator) -> Rows:
    """key value key value key value query: every key once, in any order."""
    rows = torch.zeros(count, LENGTH, dtype=torch.long)
    rows[:, 0:-1:2] = torch.rand(count, PAIRS, generator=generator).argsort(1)
    rows[:, 1::2] = values
    rows[:, -1] = torch.randint(PAIRS, (count,), generator=generator)
    return rows


def _shifted(tokens: Rows) -> Rows:
    """The token before each."""
    return torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], dim=1)


def _matched(wanted: Rows, before: Rows, tokens: Rows) -> Rows:
    """What stands after the key that is wanted at the last position."""
    behind = before[:, 1::2] == wanted[:, -1:]
    return tokens[:, 1::2].gather(1, behind.long().argmax(1, keepdim=True)).expand_as(tokens)


def induction() -> Program:
    """Which value stood after this key? The second head's keys are what the first one wrote (k-composition)."""
    letters = 4

    def sample(count: int, generator: torch.Generator) -> Rows:
        values = torch.randint(PAIRS, PAIRS + letters, (count, PAIRS), generator=generator)
        return _pairs(count, values, generator)

    before = Variable("before", "head", 0, (Read(EMBED, "v"),), _shifted)
    found = Variable("found", "head", 1, (Read(EMBED, "q"), Read("before", "k"), Read(EMBED, "v")), _matched)
    return Program(
        name="induction",
        description="the value after the earlier occurrence of the last key",
        vocabulary=(*KEYS, *LETTERS[:letters]),
        length=LENGTH,
        layers=2,
        variables=(before, found),
        sample=sample,
    )


def hops() -> Program:
    """Two look-ups in a row: what stood after the key that stood after this key? q- and k-composition over three layers."""

    def sample(count: int, generator: torch.Generator) -> Rows:
        return _pairs(count, torch.randint(PAIRS, (count, PAIRS), generator=generator), generator)

    before = Variable("before", "head", 0, (Read(EMBED, "v"),), _shifted)
    once = Variable("once", "head", 1, (Read(EMBED, "q"), Read("before", "k"), Read(EMBED, "v")), _matched)
    twice = Variable("twice", "head", 2, (Read("once", "q"), Read("before", "k"), Read(EMBED, "v")), _matched)
    return Program(
        name="hops",
        description="the key after the key after the last key",
        vocabulary=KEYS,
        length=LENGTH,
        layers=3,
        variables=(before, once, twice),
        sample=sample,
    )


def _at(place: int) -> Callable[[Rows], Rows]:
    """Every position gets the value at `place`."""
    return lambda values: values[:, place : place + 1].expand_as(values)


def relation() -> Program:
    """A fact looked up by an MLP block at the subject, fetched, then combined with a relation by a second one."""
    nexts, size = torch.tensor([2, 0, 3, 1]), 4

    def sample(count: int, generator: torch.Generator) -> Rows:
        return torch.randint(size, (count, 5), generator=generator)

    def moved(subject: Rows, relation: Rows) -> Rows:
        return (subject + relation) % size

    fact = Variable("fact", "mlp", 0, (Read(EMBED, "mlp"),), lambda tokens: nexts[tokens])
    asked = Variable("relation", "head", 0, (Read(EMBED, "v"),), _at(3))
    subject = Variable("subject", "head", 1, (Read("fact", "v"),), _at(1))
    both = Variable("moved", "mlp", 1, (Read("subject", "mlp"), Read("relation", "mlp")), moved)
    return Program(
        name="relation",
        description="(the fact of the second word + the fourth word) modulo 4",
        vocabulary=LETTERS[:size],
        length=5,
        layers=2,
        variables=(fact, asked, subject, both),
        sample=sample,
    )


def router() -> Program:
    """The first word says which of two sub-programs answers: a copy, or a fact looked up and fetched."""
    nexts, letters, flags = torch.tensor([1, 3, 0, 2]), 4, 2

    def sample(count: int, generator: torch.Generator) -> Rows:
        rows = torch.randint(letters, (count, 5), generator=generator)
        rows[:, 0] = torch.randint(letters, letters + flags, (count,), generator=generator)
        return rows

    def chosen(flag: Rows, copied: Rows, fetched: Rows) -> Rows:
        return torch.where(flag == letters, copied, fetched)

    def uses(rows: Rows) -> Bool[Tensor, "row link"]:
        copying = rows[:, :1] == letters
        fetching, both = ~copying, torch.ones_like(copying)
        return torch.cat([fetching, both, copying, fetching, both, copying, fetching, both], dim=1)

    fact = Variable("fact", "mlp", 0, (Read(EMBED, "mlp"),), lambda tokens: nexts[tokens.clamp(max=letters - 1)])
    flag = Variable("flag", "head", 0, (Read(EMBED, "v"),), _at(0))
    copied = Variable("copied", "head", 0, (Read(EMBED, "v"),), _at(1))
    fetched = Variable("fetched", "head", 1, (Read("fact", "v"),), _at(3))
    reads = (Read("flag", "mlp"), Read("copied", "mlp"), Read("fetched", "mlp"))
    return Program(
        name="router",
        description="the second word, or the fact of the fourth, as the first word says",
        vocabulary=(*LETTERS[:letters], "copy", "fact"),
        length=5,
        layers=2,
        variables=(fact, flag, copied, fetched, Variable("chosen", "mlp", 1, reads, chosen)),
        sample=sample,
        uses=uses,
    )


def majority() -> Program:
    """Which of two words is more frequent? Two heads hold a number each, an MLP block compares them: a step, no slope."""
    letters, places = 3, 5

    def sample(count: int, generator: torch.Generator) -> Rows:
        return torch.randint(letters, (count, places), generator=generator)

    def number(letter: int) -> Callable[[Rows], Rows]:
        return lambda tokens: (tokens == letter).sum(1, keepdim=True).expand_as(tokens)

    def compared(first: Rows, second: Rows) -> Rows:
        return letters + torch.where(first > second, 0, torch.where(first < second, 1, 2))

    first = Variable("first", "head", 0, (Read(EMBED, "v"),), number(0))
    second = Variable("second", "head", 1, (Read(EMBED, "v"),), number(1))
    more = Variable("more", "mlp", 1, (Read("first", "mlp"), Read("second", "mlp")), compared)
    return Program(
        name="majority",
        description="whether the first or the second word of the vocabulary is more frequent",
        vocabulary=(*LETTERS[:letters], "first", "second", "same"),
        length=places,
        layers=2,
        variables=(first, second, more),
        sample=sample,
    )


MAKERS: dict[str, Callable[[], Program]] = {one.__name__: one for one in (induction, hops, relation, router, majority)}
PROGRAMS = tuple(MAKERS)
"""The names that `train_interchange` takes."""


def program_named(name: str) -> Program:
    """The program of this name. Raises ValueError naming those there are."""
    if name not in MAKERS:
        raise ValueError(f"there is no interchange program {name!r}; expected one of {', '.join(PROGRAMS)}")
    return MAKERS[name]()
