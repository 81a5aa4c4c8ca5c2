"""REDUNDANT: from how many disjoint parts of the input a concept can be read, by one code.

A latent Λ over parts X₁…Xₙ is redundant if each part tells it: H(Λ | X_k) ≤ ε for every k (Wentworth and Lorell 2025, arXiv
2509.03780). Here Λ is the concept's label, X_k what the network reads of part k alone, and "tells" is what READ measures:

    T_k = min( A(k → k), max over j ≠ k of A(j → k) )

A(j → k): the lowest AUROC over the concept's contrasts, on test rows of part k, of the candidate fitted and chosen on part
j. The first term asks whether the part tells it, the second whether it does so by a code that another part uses too.

Part k counts if T_k is more than chance and more than a network with random weights has:
- labels: the whole search is rerun under permuted labels, and T_k stands against the largest of the T of all parts (Westfall
  and Young 1993), so the chance that any part is falsely counted is kept, over all of them;
- twin: T_k less the better of 0.5 and the best random twin's T_k, over its error by test rows and twins, times the parts
  (Bonferroni). Part p: the larger of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.natural.across import Found, found
from cutaway.concepts.read.error import p_better, smallest_seen, standard_error
from cutaway.concepts.read.nulls import p_value
from cutaway.concepts.read.question import Question
from cutaway.concepts.read.score import LEVEL
from cutaway.concepts.read.search import Readable
from cutaway.runs.table import Table

Verdict = Literal["redundant", "in some parts", "not redundant"]


@dataclass(frozen=True)
class Redundant:
    """From how many parts a concept is read.

    `value` is the share of parts that count; `p` that of the second best part (so of "at least two parts"), `p_all` that of
    the worst (so of "every part"). `parts` has a line for each: T_k as AUROC, its two terms, the twin's, READ (the difference),
    its error by test rows and its p. `smallest`: the READ that each part would have been counted for in 80 % of cases.
    `null`: by contrast, the largest T of all parts under each permutation.
    """

    value: float
    p: float
    p_all: float
    parts: Table
    smallest: float
    searched: int
    null: tuple[tuple[float, ...], ...] = field(repr=False)

    @property
    def verdict(self) -> Verdict:
        """Redundant: all parts count. In some: at least two do."""
        counted = sum(p <= LEVEL for p in self.parts["p"])
        return "redundant" if counted == len(self.parts) else "in some parts" if counted > 1 else "not redundant"

    def __str__(self) -> str:
        counted = sum(p <= LEVEL for p in self.parts["p"])
        areas, own = (", ".join(f"{area:.2f}" for area in self.parts[name]) for name in ("AUROC", "by its own code"))
        said = (
            f"{self.verdict}: {counted} of {len(self.parts)} parts tell it by a code that they share (AUROC {areas}; each by its "
            f"own {own}; p of two parts {self.p:.2g}, of all {self.p_all:.2g}; best of {self.searched} candidates a part)"
        )
        return said if counted == len(self.parts) else f"{said}; a READ from {self.smallest:.2f} on would have counted"


@dataclass(frozen=True, eq=False)
class Matrix:
    """The search of every part, asked of every part: `test[source, part, labelling]` is A(source → part)."""

    searches: tuple[Found, ...]
    test: Float[Tensor, "parts parts labellings"]

    @property
    def own(self) -> Float[Tensor, "parts labellings"]:
        """A(k → k)."""
        return self.test.diagonal().T

    @property
    def borrowed(self) -> tuple[Float[Tensor, "parts labellings"], Int[Tensor, "parts labellings"]]:
        """The highest A(j → k) over j ≠ k, and its j."""
        others = self.test.clone()
        others.diagonal().fill_(-torch.inf)
        best = others.max(0)
        return best.values, best.indices

    @property
    def both(self) -> Float[Tensor, "parts labellings"]:
        """T."""
        return torch.minimum(self.own, self.borrowed[0])

    def scores(self, part: int) -> Float[Tensor, "rows"]:
        """Every row's score by the code, of the two, that T_k is the AUROC of."""
        values, sources = self.borrowed
        source = part if self.own[part, 0] <= values[part, 0] else int(sources[part, 0])
        return self.searches[source].scores[part, :, 0]


def matrix(parts: Sequence[Readable], asked: Question, labellings: Int[Tensor, "labellings rows"]) -> Matrix:
    """Searches each part."""
    searches = tuple(found(parts, asked, labellings, [number]) for number in range(len(parts)))
    return Matrix(searches, torch.stack([one.test(asked, labellings) for one in searches]))


def redundant(
    parts: Sequence[Readable],
    twins: Sequence[Sequence[Readable]],
    asked: Question,
    labellings: Int[Tensor, "labellings rows"],
    seed: int,
) -> Redundant:
    """REDUNDANT of the readings of parts, against those of random twins, if there are any."""
    ours = matrix(parts, asked, labellings)
    theirs = [matrix(twin, asked, labellings[:1]) for twin in twins]
    null = ours.both[:, 1:].max(0).values.reshape(len(asked.contrasts), -1)
    areas = torch.stack([twin.both[:, 0] for twin in theirs]) if theirs else torch.full((1, len(parts)), -torch.inf)
    # What another draw of the twin's weights changes: pooled over the parts, for two twins tell little of one.
    between = float(areas.var(0).mean()) if len(theirs) > 1 else 0.0
    lines, seen = [], []
    for part in range(len(parts)):
        area, twin = float(ours.both[part, 0]), float(areas[:, part].max())
        base = theirs[int(areas[:, part].argmax())].scores(part) if twin > 0.5 else None
        error = (standard_error(ours.scores(part), base, asked, seed) ** 2 + (between if twin > 0.5 else 0)) ** 0.5
        read = area - max(twin, 0.5)
        p = max(p_value(area, null), min(1.0, len(parts) * p_better(read, error)))
        lines.append(
            {
                "part": part + 1,
                "AUROC": area,
                "by its own code": float(ours.own[part, 0]),
                "by another part's": float(ours.borrowed[0][part, 0]),
                "twin": twin if theirs else None,
                "READ": read,
                "error": error,
                "p": p,
            }
        )
        seen.append(smallest_seen(error, LEVEL, len(parts)))
    p = sorted(line["p"] for line in lines)
    counted = sum(one <= LEVEL for one in p)
    searched = ours.searches[0].searched
    nulls = tuple(tuple(row.tolist()) for row in null)
    return Redundant(counted / len(parts), p[1], p[-1], Table.of(lines), max(seen), searched, nulls)
