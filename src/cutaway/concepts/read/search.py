"""The search for a concept's best reader: fitted on train, chosen on val, measured once on test, for every labelling alike.

A labelling says which set each row is of. The first is the true one; the others are permuted, and what the same search
finds under them is its own null: choosing the best of all candidates and sites is inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.read.auroc import ranked
from cutaway.concepts.read.directions import AGAINST, RIDGES, candidates, count, weights
from cutaway.concepts.read.question import Question
from cutaway.network import Site

TIE = 1e-3  # of two candidates whose lowest AUROC is the same, the one with the higher mean is chosen


@runtime_checkable
class Readable(Protocol):
    """Readings, kept or given: for each of `sites` a tensor [passages, width], of heads [passages, head, d_head]."""

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where was read."""
        ...

    def at(self, site: Site) -> Tensor:
        """The readings at one site."""
        ...


@dataclass(frozen=True, eq=False)
class Candidate:
    """What reads a concept: the site (with the head or neuron), how it was fitted, its `vector` and its score on val.

    A passage scores h · vector, h its readings at the site laid flat. `vector` has length 1.
    """

    site: str
    how: str
    vector: Float[Tensor, "width"]
    val: float

    def score(self, h: Float[Tensor, "passages *width"]) -> Float[Tensor, "passages"]:
        """The scores of readings at the whole of the site."""
        return h.double().flatten(1) @ self.vector

    def __str__(self) -> str:
        return f"{self.how}, at {self.site}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a search found.

    `best` is the candidate of the true labelling, `scores` [rows] its score of every row; `test` [labellings] the lowest
    AUROC over the contrasts, on test, of the candidate that each labelling chose on val; `searched` how many there were.
    """

    best: Candidate
    scores: Float[Tensor, "rows"]
    test: Float[Tensor, "labellings"]
    searched: int


def search(readings: Readable, asked: Question, labellings: Int[Tensor, "labellings rows"]) -> Outcome:
    """Searches every site of the readings under every labelling; the first labelling is the true one."""
    train = asked.by_split["train"]
    c = weights(labellings[:, train], len(asked.contrasts))
    chosen = torch.full((len(labellings),), -torch.inf, dtype=torch.double)
    test = torch.full_like(chosen, torch.nan)
    best: Candidate | None = None
    scores, searched = torch.empty(0), 0
    for site in readings.sites:
        x = readings.at(site)
        searched += count(site, x.shape, len(c))
        some = candidates(site, x, train, c)
        val = lowest(some.scores, asked, labellings, "val", TIE)
        top, index = val.max(0)
        better = top > chosen
        picked = some.scores.gather(1, index.expand(len(x), 1, -1))
        test = lowest(picked, asked, labellings, "test")[0].where(better, test)
        chosen = top.where(better, chosen)
        if better[0]:
            one = int(index[0])
            vector = some.vectors[one] / some.vectors[one].norm().clamp(min=1e-30)
            plain = lowest(some.scores[:, one : one + 1, :1], asked, labellings[:1], "val")
            best = Candidate(some.sites[one], some.names[one], vector, float(plain))
            scores = some.scores[:, one, 0].clone()
    assert best is not None, "a reader has at least one site"
    return Outcome(best, scores, test, searched)


def search_at_random(readings: Readable, asked: Question, draws: int, seed: int) -> Float[Tensor, "draws"]:
    """What searches among random directions come to on test: as many directions a site, the best on val, `draws` times.

    Directions are drawn with the covariance of the site's train rows, w = Xᵀ g: they lie where the network's readings do.
    """
    train = asked.by_split["train"]
    drawn = torch.Generator().manual_seed(seed)
    against = min(len(asked.contrasts), len(AGAINST))
    labellings = asked.sets.expand(draws, -1)
    chosen = torch.full((draws,), -torch.inf, dtype=torch.double)
    test = torch.full_like(chosen, torch.nan)
    for site in readings.sites:
        x = readings.at(site).flatten(1).double()
        x = x - x[train].mean(0)
        g = torch.randn(int(train.sum()), against * (1 + len(RIDGES)), draws, generator=drawn, dtype=torch.double)
        scores = torch.einsum("pw,wcd->pcd", x, torch.einsum("tw,tcd->wcd", x[train], g))
        top, index = lowest(scores, asked, labellings, "val", TIE).max(0)
        picked = scores.gather(1, index.expand(len(x), 1, -1))
        test = lowest(picked, asked, labellings, "test")[0].where(top > chosen, test)
        chosen = top.where(top > chosen, chosen)
    return test


def lowest(
    scores: Float[Tensor, "rows candidates labellings"],
    asked: Question,
    labellings: Int[Tensor, "labellings rows"],
    split: str,
    tie: float = 0.0,
) -> Float[Tensor, "candidates labellings"]:
    """The lowest AUROC over the contrasts, in one split; `tie` times the mean over them is added."""
    rows = asked.by_split[split]
    shape = scores.shape[1:]
    ordered = ranked(scores[rows].flatten(1))
    sets = labellings[:, rows].T[:, None].expand(-1, *shape).flatten(1)
    each = torch.stack([ordered.auroc(sets == 0, sets == number + 1) for number in range(len(asked.contrasts))])
    return (each.min(0).values + tie * each.mean(0)).reshape(shape)


def by_contrast(scores: Float[Tensor, "rows"], asked: Question, split: str = "test") -> Mapping[str, float]:
    """The AUROC of one column of scores against each contrast."""
    rows = asked.by_split[split]
    ordered, sets = ranked(scores[rows][:, None]), asked.sets[rows][:, None]
    return {
        name: float(ordered.auroc(sets == 0, sets == number)) for number, name in enumerate(asked.contrasts, start=1)
    }
