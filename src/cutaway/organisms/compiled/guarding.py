"""Any program behind a guard: it answers only where the first token of the row allows it.

A guard is a yes or no, so parts that see it can stand in for each other under every ablation: a copy that says no is
outvoted by one that says yes. Copies of a part that says which of many words could not be: of two that disagree under a
resampled value, neither is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.compiled.program import Part, Program, Row
from cutaway.organisms.compiled.writing import SHARP, Gate, Head, Layout

ALLOWED = 0.2
"""Share of the reference that the guard lets through: two means of it stay below `LOW`."""
LOW, HIGH = 0.75, 0.95
"""The guard's gate is shut up to `LOW`, open from `HIGH` on, flat on either side."""


@dataclass(frozen=True)
class Guarded:
    """A program on rows with one more token in front, `allow` or `forbid`, and what reads and writes its guard.

    The subspaces "guard" and "second" are for parts that see the guard; `second` may come after the first.
    """

    inner: Program
    layout: Layout
    allow: int
    forbid: int
    refusal: int

    @property
    def watch(self) -> Head:
        """Looks for the guard token, writes 1 to "guard" where it allows."""
        T = self.layout.read("token")
        marks = T[[self.allow, self.forbid]].sum(0, keepdim=True)
        return Head(SHARP * self.layout.read("one"), marks, T[[self.allow]], self.layout.write("guard"))

    @property
    def shut(self) -> Gate:
        """Writes the refusal, twice as loud as any answer, unless "guard" + "second" is 1 or more."""
        seen = self.layout.read("guard") + self.layout.read("second")
        gap, refusal = HIGH - LOW, 2 * self.layout.write("out")[:, self.refusal]
        when = torch.cat([seen / gap, seen / gap, self.layout.read("one")])
        threshold = torch.tensor([LOW / gap, HIGH / gap, 0.0], dtype=torch.float64)
        return Gate(when, threshold, torch.stack([-refusal, refusal, refusal], dim=1))

    def program(self, first: Part, second: Part) -> Program:
        """The inner program with the two parts that see the guard. Every decision about it is on an allowed row."""
        inner, uses = self.inner, self.inner.uses
        guard = frozenset({first.name, second.name, "shut"})
        shut = Part("shut", self.shut, after=(first.name, second.name), final=True)

        def sample(rng: Random) -> Row:
            return (self.allow if rng.random() < ALLOWED else self.forbid, *inner.sample(rng))

        def twist(row: Row, rng: Random) -> Row:
            return (self.forbid, *row[1:]) if rng.random() < 0.5 else (row[0], *inner.twist(row[1:], rng))

        return replace(
            inner,
            description=f"{inner.description}; but only where the first token allows it",
            vocabulary=(*inner.vocabulary, "<allow>", "<forbid>", "<refused>"),
            length=inner.length + 1,
            layout=self.layout,
            parts=(*(lifted(part, inner.layout, self.layout) for part in inner.parts), first, second, shut),
            sample=sample,
            solve=lambda row: inner.solve(row[1:]) if row[0] == self.allow else self.refusal,
            twist=twist,
            eligible=lambda row: inner.eligible(row[1:]),
            asked=lambda rng, number: (self.allow, *(inner.asked(rng, number) if inner.asked else inner.sample(rng))),
            uses=None if uses is None else lambda row: uses(row[1:]) | guard,
        )


def guarded(inner: Program) -> Guarded:
    """`inner` with room for a guard."""
    more, tokens = {"token": 3, "out": 3, "position": 1}, len(inner.vocabulary)
    sizes = [(name, size + more.get(name, 0)) for name, size in inner.layout.sizes]
    layout = Layout((*sizes, ("guard", 1), ("second", 1)))
    return Guarded(inner, layout, tokens, tokens + 1, tokens + 2)


def lifted(part: Part, inner: Layout, outer: Layout) -> Part:
    """The same part in a stream with more in it; places of the inner row are one further on."""
    E, what = embedding(inner, outer), part.what
    if isinstance(what, Head):
        return replace(part, what=Head(what.query @ E, what.key @ E, what.value_from @ E, E.T @ what.value_to))
    return replace(part, what=Gate(what.when @ E, what.threshold, E.T @ what.then))


def embedding(inner: Layout, outer: Layout) -> Float[Tensor, "inner outer"]:
    """Which coordinate of `outer` each coordinate of `inner` is."""
    rows = []
    for name, size in inner.sizes:
        first = 1 if name == "position" else 0
        rows.append(outer.read(name)[first : first + size])
    return torch.cat(rows)
