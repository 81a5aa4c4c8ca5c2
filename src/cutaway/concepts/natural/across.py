"""The search for a concept's code, fitted to some parts and asked of all of them, for every labelling of the rows alike.

As READ searches (fitted on train, chosen on val, measured on test), with the parts' readings one below the other: what is
found in one part scores the others too. Each part is centred by its own train rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.read.directions import candidates, count, weights
from cutaway.concepts.read.question import Question
from cutaway.concepts.read.search import TIE, Readable, lowest
from cutaway.network import Site


@dataclass(frozen=True, eq=False)
class Code:
    """What is said to be the concept: one direction or several, `vectors` [rank, width], at a site whose readings they meet.

    The value of a passage is h · vectors, h its readings at the site laid flat.
    """

    site: Site
    vectors: Float[Tensor, "rank width"]
    how: str = "given"

    def values(self, h: Float[Tensor, "passages *width"]) -> Float[Tensor, "passages rank"]:
        """The values of readings. Raises ValueError for another width."""
        flat = h.double().flatten(1)
        if flat.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"given a code of width {self.vectors.shape[1]} at {self.site}; expected {flat.shape[1]}, the numbers that a "
                "passage has there; give vectors [rank, width]"
            )
        return flat @ self.vectors.double().T

    def __str__(self) -> str:
        rank = f"{len(self.vectors)} directions, " if len(self.vectors) > 1 else ""
        return f"{rank}{self.how}, at {self.site}"


@dataclass(frozen=True, eq=False)
class Within:
    """Readings seen through a code: at its site, its values."""

    readings: Readable
    code: Code

    @property
    def sites(self) -> tuple[Site, ...]:
        """The code's."""
        return (self.code.site,)

    def at(self, site: Site) -> Float[Tensor, "passages rank"]:
        """The code's values."""
        return self.code.values(self.readings.at(site))


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found under each labelling, the first of which is the true one.

    `code` is the first labelling's; `scores` every row's score in every part; `sites` the number of the site chosen; `searched`
    how many candidates there were.
    """

    code: Code
    scores: Float[Tensor, "parts rows labellings"]
    sites: Int[Tensor, "labellings"]
    searched: int

    def test(self, asked: Question, labellings: Int[Tensor, "labellings rows"]) -> Float[Tensor, "parts labellings"]:
        """The lowest AUROC over the contrasts, on test rows of every part."""
        return torch.stack([lowest(one[:, None], asked, labellings, "test")[0] for one in self.scores])


def found(
    parts: Sequence[Readable],
    asked: Question,
    labellings: Int[Tensor, "labellings rows"],
    sources: Sequence[int],
    crossed: bool = False,
) -> Found:
    """Searches every site for a code, fitted to train and chosen on val, of the parts of these numbers together.

    A code separates the rows that it was fitted to better than any others. `crossed` gives those the scores of a second code,
    fitted to val and test at the same site and chosen on train, so that no row is scored by what was fitted to it.
    """
    train = asked.by_split["train"]
    chosen = torch.full((len(labellings),), -torch.inf, dtype=torch.double)
    sites = torch.zeros(len(labellings), dtype=torch.long)
    scores = torch.zeros(len(parts), len(train), len(labellings), dtype=torch.double)
    code: Code | None = None
    searched = 0
    for number, site in enumerate(parts[0].sites):
        x = torch.cat([centred(one.at(site), asked) for one in parts])
        one = _best(site, x, asked, labellings, sources)
        if crossed:
            other = _best(site, x, _turned(asked), labellings, sources)
            one = replace(one, scores=_scaled(one.scores).where(~train[:, None], _scaled(other.scores)))
        searched += one.searched
        better = one.val > chosen
        chosen, sites = one.val.where(better, chosen), torch.where(better, number, sites)
        scores = one.scores.where(better, scores)
        code = one.code if better[0] else code
    assert code is not None, "a reader has at least one site"
    return Found(code, scores, sites, searched)


@dataclass(frozen=True, eq=False)
class _Best:
    """The best candidate at one site under each labelling: its val, its scores, and the first one's code."""

    code: Code
    val: Float[Tensor, "labellings"]
    scores: Float[Tensor, "parts rows labellings"]
    searched: int


def _best(site: Site, x: Tensor, asked: Question, labellings: Tensor, sources: Sequence[int]) -> _Best:
    train = asked.by_split["train"]
    parts = len(x) // len(train)
    fitted = torch.cat([train & (number in sources) for number in range(parts)])
    c = weights(labellings[:, train].repeat(1, len(sources)), len(asked.contrasts))
    some = candidates(site, x, fitted, c)
    scores = some.scores.unflatten(0, (parts, -1))  # [parts, rows, candidates, labellings]
    val = torch.stack([lowest(scores[source], asked, labellings, "val", TIE) for source in sources]).mean(0)
    top, index = val.max(0)
    picked = scores.gather(2, index.expand(*scores.shape[:2], 1, -1))[:, :, 0]
    vector = some.vectors[index[0]]
    code = Code(site, (vector / vector.norm().clamp(min=1e-30))[None], some.names[int(index[0])])
    return _Best(code, top, picked, count(site, x.shape, len(c)))


def _turned(asked: Question) -> Question:
    """With train as val, and the rest as train."""
    return replace(asked, splits=tuple("val" if split == "train" else "train" for split in asked.splits))


def _scaled(scores: Float[Tensor, "parts rows labellings"]) -> Float[Tensor, "parts rows labellings"]:
    """To the same spread over rows and parts."""
    return scores / scores.std((0, 1)).clamp(min=1e-30)


def shuffles(asked: Question, permutations: int, seed: int) -> Int[Tensor, "labellings rows"]:
    """The true sets, then all rows' shuffled within each split: units of one size trade sets, then the rows inside each unit.

    READ's permutations leave the rows of all contrasts but one as they are, so that a code found under them may still be the
    concept's. Here nothing is left of it.
    """
    alike: defaultdict[tuple[str, int], list[list[int]]] = defaultdict(list)
    rows: defaultdict[tuple[str, Hashable], list[int]] = defaultdict(list)
    for row, key in enumerate(zip(asked.splits, asked.units)):
        rows[key].append(row)
    for (split, _), some in rows.items():
        alike[split, len(some)].append(some)
    drawn = np.random.default_rng((seed, len(rows)))
    found = np.tile(asked.sets.numpy(), (permutations + 1, 1))
    for one in found[1:]:
        for units in map(np.array, alike.values()):
            one[units] = drawn.permuted(one[drawn.permutation(units)], axis=1)
    return torch.from_numpy(found)


def centred(h: Float[Tensor, "rows *width"], asked: Question) -> Float[Tensor, "rows *width"]:
    """Readings of a part less their mean over train rows."""
    return h.double() - h[asked.by_split["train"]].double().mean(0)
