"""MEDIATES: how much of what one part of the input tells about another passes through the code.

A latent Λ mediates between parts X₁…Xₙ if these are independent given it: I(X_a; X_b | Λ) ≤ ε (Wentworth and Lorell 2025, arXiv
2509.03780). Here X_k is the reading of part k alone, in its leading components; dependence is linear, R² freed of chance (see
`dependence`); and the code is a function of *one* part, c(X_a), as a redundant latent may be:

    MEDIATES = 1 − Σ (R²(X_b | X_a, c(X_a)) − R²(X_b | c(X_a))) / Σ R²(X_b | X_a), over couples a ≠ b

1: nothing that part a tells about part b goes past the code. 0: all of it does. A code of the whole text would not do: it is
made of both parts, and given what two independent things add up to they depend on each other.

Nulls: the codes that the same search finds where the labels of all rows are shuffled, and directions drawn with the covariance
of the rows at the code's site, as many as the code has. p: the larger of the two. A code that most of the variance carries is
not told from these: any direction mediates there. Where parts do not depend on each other beyond what mixed texts give, there
is nothing that could pass through a code, and the score is *not testable*, neither 0 nor 1.

The label itself can stand in the code's place (`by_label`): a code may know of more degrees of a concept than yes or no.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.concepts.natural.across import Code, Found, centred
from cutaway.concepts.natural.dependence import Shared, leading, mixtures
from cutaway.concepts.read.nulls import p_value
from cutaway.concepts.read.question import Question
from cutaway.concepts.read.score import LEVEL
from cutaway.concepts.read.search import Readable
from cutaway.network import Site

MIXED = 199  # permutations of parts between texts
RANDOM = 199  # directions
BLOCKS = 20  # of units, that the error is jackknifed over
ROWS = 2000  # about as many are looked at: what is kept of them grows with their square
MOST = 0.5  # of the dependence: what passes through a mediator for certain
Verdict = Literal["mediates", "in part", "no more than chance", "not testable"]


@dataclass(frozen=True)
class Mediates:
    """Which share of the dependence between parts passes through a code.

    `value` with its `error` (jackknife over units), `p` against the nulls: None where it is not testable. `dependence`: R²
    between parts in `components` numbers, with `p_dependence` against mixed texts, over `rows` rows. `inside`: the share
    of the code's variance in these components; what lies outside can tell of others, but not be told. `by_label`: the same
    score of the label. `random`: those of random directions, `others` those of other concepts' codes. `p_labels` is None for
    a code that was given.
    """

    value: float | None
    error: float | None
    p: float | None
    p_labels: float | None
    p_random: float
    dependence: float
    p_dependence: float
    by_label: float
    inside: float
    components: int
    rows: int
    code: Code = field(repr=False)
    random: tuple[float, ...] = field(repr=False)
    others: Mapping[str, float] = field(repr=False)

    @property
    def verdict(self) -> Verdict:
        """Mediates: more than chance, and more than half, by 1.96 errors. In part: more than chance."""
        if self.value is None or self.error is None or self.p is None:
            return "not testable"
        if self.p > LEVEL:
            return "no more than chance"
        return "mediates" if self.value - 1.96 * self.error > MOST else "in part"

    def __str__(self) -> str:
        linked = f"R² between parts {self.dependence:.3f}, p {self.p_dependence:.2g}, {self.rows} rows"
        if self.value is None or self.error is None or self.p is None:
            return (
                f"not testable: the parts do not depend on each other beyond chance, so nothing could pass ({linked})"
            )
        at_random = torch.tensor(self.random).quantile(torch.tensor([0.5, 0.95])).tolist()
        low, high = self.value - 1.96 * self.error, self.value + 1.96 * self.error
        said = (
            f"{self.verdict}: {self.value:.2f} [{low:.2f}, {high:.2f}] of the dependence passes through the code "
            f"({self.code}; p {self.p:.2g}; random directions {at_random[0]:.2f}, 95 % below {at_random[1]:.2f}; the label "
            f"{self.by_label:.2f}; {linked})"
        )
        if not self.others:
            return said
        higher = sum(other >= self.value for other in self.others.values())
        return f"{said}; {higher} of {len(self.others)} other concepts' codes carry as much"


@dataclass(frozen=True, eq=False)
class Unseen:
    """A code, the readings of the parts, and the rows of which the code's values may be looked at.

    These are all rows if the code was searched for, each scored by what was not fitted to it; of a given code val and test. Of
    more than `ROWS`, some units are drawn.
    """

    parts: Sequence[Readable]
    asked: Question
    searched: Found | None
    code: Code
    seed: int

    @cached_property
    def rows(self) -> Bool[Tensor, "rows"]:
        """Which rows."""
        train = self.asked.by_split["train"]
        inside = ~train if self.searched is None else torch.ones_like(train)
        numbers = _numbered(self.asked.units)
        drawn = torch.rand(int(numbers.max()) + 1, generator=torch.Generator().manual_seed(self.seed))
        return inside & (drawn[numbers] <= ROWS / int(inside.sum()))

    @cached_property
    def units(self) -> Int[Tensor, "unseen"]:
        """The number of each row's unit."""
        return _numbered([unit for unit, inside in zip(self.asked.units, self.rows.tolist()) if inside])

    @cached_property
    def ways(self) -> Int[Tensor, "permutations unseen"]:
        """How they are mixed."""
        return mixtures(self.units.tolist(), MIXED, self.seed)

    def at(self, site: Site) -> Float[Tensor, "parts unseen width"]:
        """The parts' readings at a site, laid flat."""
        return torch.stack([centred(one.at(site), self.asked).flatten(1)[self.rows] for one in self.parts])

    def shared(self, site: Site) -> Shared:
        """What the parts share at a site."""
        x = self.at(site)
        return Shared.of(x, leading(x.flatten(0, 1), int(self.units.max()) + 1), self.ways)

    def values(self, code: Code) -> Float[Tensor, "parts unseen rank"]:
        """The values of a code that was fitted elsewhere."""
        return torch.stack([code.values(one.at(code.site))[self.rows] for one in self.parts])

    def scores(self) -> Float[Tensor, "labellings parts unseen rank"]:
        """The values of the code, then of those found under shuffled labels."""
        if self.searched is None:
            return self.values(self.code)[None]
        return self.searched.scores[:, self.rows].movedim(-1, 0)[..., None]

    def drawn(self) -> Float[Tensor, "draws parts unseen rank"]:
        """The values of `RANDOM` codes at the code's site, of its rank: w = Xᵀ g with X the readings of all parts."""
        x = self.at(self.code.site)
        drawn = torch.Generator().manual_seed(self.seed)
        g = torch.randn(x.shape[0] * x.shape[1], RANDOM * len(self.code.vectors), generator=drawn, dtype=torch.double)
        return (x @ (x.flatten(0, 1).T @ g)).unflatten(-1, (RANDOM, -1)).movedim(-2, 0)


def mediates(unseen: Unseen, others: Mapping[str, Code]) -> Mediates:
    """MEDIATES of a code, beside that of other concepts' codes."""
    shared, code = unseen.shared(unseen.code.site), unseen.code
    scores, at_random = unseen.scores(), shared.through(unseen.drawn())
    label = (unseen.asked.sets[unseen.rows] == 0).double().expand(len(unseen.parts), -1)[..., None]
    share, by_label = (float(shared.through(one[None])[0]) for one in (scores[0], label))
    p_random = p_value(share, at_random[None])
    p_labels = (
        None if unseen.searched is None else p_value(share, _permuted(unseen, unseen.searched.sites, scores)[None])
    )
    linked = shared.mixed(unseen.ways)
    p_dependence = p_value(float(linked[0]), linked[None, 1:])
    testable = p_dependence <= LEVEL and shared.between > 0
    return Mediates(
        share if testable else None,
        _jackknifed(shared, scores[0], unseen.units) if testable else None,
        max(p_random, p_labels or 0.0) if testable else None,
        p_labels,
        p_random,
        shared.between,
        p_dependence,
        by_label,
        shared.inside(scores[0]),
        shared.x.shape[2],
        len(unseen.units),
        code,
        tuple(at_random.tolist()),
        {name: float(shared.through(unseen.values(other)[None])[0]) for name, other in others.items()},
    )


def _numbered(units: Sequence[Hashable]) -> Int[Tensor, "rows"]:
    """Each unit's number, in the order in which they come."""
    known = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    return torch.tensor([known[unit] for unit in units])


def _permuted(unseen: Unseen, sites: Int[Tensor, "labellings"], scores: Tensor) -> Float[Tensor, "permutations"]:
    """The score of each code found under shuffled labels, between the readings at the site where it was found."""
    found = torch.zeros(len(scores), dtype=torch.double)
    for number in sites[1:].unique().tolist():
        here = sites == number
        found[here] = unseen.shared(unseen.parts[0].sites[number]).through(scores[here])
    return found[1:]


def _jackknifed(shared: Shared, values: Float[Tensor, "parts rows rank"], units: Int[Tensor, "rows"]) -> float:
    """The error of the share, leaving out one block of units after the other (Quenouille 1956, Tukey 1958)."""
    blocks = min(BLOCKS, int(units.max()) + 1)
    found = []
    for block in range(blocks):
        rows = (units % blocks != block).nonzero()[:, 0]
        found.append(shared.take(rows).through(values[None, :, rows]))
    return float(((blocks - 1) * torch.cat(found).var(correction=0)).sqrt())
