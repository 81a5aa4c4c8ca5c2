"""What the same search finds where there is nothing: random sets, other decisions' answers; and a harder check of what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.network import Batch
from cutaway.study.growth.search import Explained, Explainer

SHUFFLED = 32
"""Decisions that are held to another's answer."""
RANDOM, DONORS = 4, 4


@dataclass(frozen=True)
class Controls:
    """random: the share of random sets of the same sizes that pass the check. shuffled: the share of decisions, held to another
    one's answer, that the same search explains. donors, random_donors: median nats by which decisions change with the rest at
    another input's values instead of means, for the sets found and for random ones. flops: operations of all that."""

    random: float
    shuffled: float
    donors: float
    random_donors: float
    flops: int


def controls(explainer: Explainer, found: Explained, drawn: Batch, reference: Sequence[Batch]) -> Controls:
    """The controls of a search that explained something."""
    before = explainer.flops
    rows = torch.tensor([row for row, one in enumerate(found.sets) if one is not None])
    sets = as_rows([found.sets[int(row)] or () for row in rows], explainer.parts.count)
    generator = torch.Generator().manual_seed(explainer.seed)
    random = [_random(sets, generator) for _ in range(RANDOM)]
    passed = torch.stack([explainer.checked(rows, one) for one in random]).float().mean()
    donors = float(at_donors(explainer, rows, sets, reference[1]).median())
    beside = float(at_donors(explainer, rows, random[0], reference[1]).median())
    last = found.curve[-1].steps
    few = replace(
        explainer.search,
        decisions=SHUFFLED,
        until=1.0,
        steps=tuple(step for step in explainer.search.steps if step <= last),
    )
    other = Explainer(explainer.net, explainer.parts, few, explainer.seed)
    shuffled = other.of(drawn.take(torch.arange(min(drawn.rows, 2 * SHUFFLED))), reference, shuffled=True)
    return Controls(float(passed), shuffled.share, donors, beside, explainer.flops - before + other.flops)


def as_rows(sets: Sequence[Sequence[int]], count: int) -> Bool[Tensor, "rows part"]:
    """Sets of places as rows of true and false."""
    rows = torch.zeros(len(sets), count, dtype=torch.bool)
    for row, one in zip(rows, sets):
        row[list(one)] = True
    return rows


def at_donors(
    explainer: Explainer, rows: Tensor, sets: Bool[Tensor, "rows part"], donors: Batch
) -> Float[Tensor, "rows"]:
    """The mean change of decisions with the rest of their parts at what they are on single other inputs."""
    total, every = torch.zeros(len(rows)), torch.arange(len(rows))
    for donor in range(DONORS):
        seen = explainer.net.read(donors.take(torch.tensor([donor])), *explainer.parts.sites)
        values = {site: seen[str(site)] for site in explainer.parts.sites}
        found = explainer.paid("donors", lambda values=values: explainer.enough(rows, sets, every, values))
        total += found
    return total / DONORS


def _random(sets: Bool[Tensor, "rows part"], generator: torch.Generator) -> Bool[Tensor, "rows part"]:
    """Random sets as large as those."""
    rank = torch.rand(sets.shape, generator=generator).argsort(1).argsort(1)
    return rank < sets.sum(1, keepdim=True)
