"""How far READ would have come out otherwise on other test rows: a bootstrap of units, paired over networks and contrasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from statistics import NormalDist

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.read.auroc import steps
from cutaway.concepts.read.question import Question

RESAMPLES = 500
POWER = 0.8  # with which the smallest effect "could have been seen"


def standard_error(
    ours: Float[Tensor, "rows"], base: Float[Tensor, "rows"] | None, asked: Question, seed: int
) -> float:
    """Of the lowest AUROC of `ours` less that of `base` (None: chance, which has no error), over units of test rows.

    Never below half a row of the smallest set: with both at 1.0 the resamples do not differ at all.
    """
    drawn = _resampled(asked, seed)
    differ = _lowest(ours, asked, drawn)
    if base is not None:
        differ = differ - _lowest(base, asked, drawn)
    fewest = min(asked.count("test", number) for number in range(len(asked.contrasts) + 1))
    return max(float(differ.std()), 0.5 / fewest)


def p_better(difference: float, error: float) -> float:
    """The chance of at least this difference where there is none, by the normal law."""
    return 1 - NormalDist().cdf(difference / error)


def smallest_seen(error: float, level: float, tests: int) -> float:
    """The READ that would have been called in `POWER` of cases, at this level over so many tests (Bonferroni: the worst of
    Benjamini and Hochberg, that of a lone find)."""
    return (NormalDist().inv_cdf(1 - level / tests) + NormalDist().inv_cdf(POWER)) * error


def _lowest(scores: Float[Tensor, "rows"], asked: Question, drawn: Float[Tensor, "resamples test"]) -> Tensor:
    """The lowest AUROC over the contrasts with each row counted as often as it was drawn."""
    rows = asked.by_split["test"]
    level, sets = steps(scores[rows][:, None])[:, 0], asked.sets[rows]
    found = []
    for number in range(1, len(asked.contrasts) + 1):
        high, low = sets == 0, sets == number
        won = torch.sign(level[high][:, None] - level[low]) / 2 + 0.5
        counts = drawn[:, high].sum(1) * drawn[:, low].sum(1)
        found.append((drawn[:, high] @ won * drawn[:, low]).sum(1) / counts.clamp(min=1))
    return torch.stack(found).min(0).values


def _resampled(asked: Question, seed: int) -> Float[Tensor, "resamples test"]:
    """How often each test row is drawn: units with replacement, among those that hold rows of the same sets."""
    rows = asked.by_split["test"].nonzero()[:, 0].tolist()
    units: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        units[asked.units[row]].append(place)
    strata: defaultdict[tuple[int, ...], list[list[int]]] = defaultdict(list)
    for places in units.values():
        strata[tuple(sorted({int(asked.sets[rows[place]]) for place in places}))].append(places)
    found = torch.zeros(RESAMPLES, len(rows), dtype=torch.double)
    drawn = np.random.default_rng((seed, len(rows)))
    for alike in strata.values():
        counts = drawn.multinomial(len(alike), [1 / len(alike)] * len(alike), size=RESAMPLES)
        for number, places in enumerate(alike):
            found[:, places] = torch.from_numpy(counts[:, number : number + 1]).double()
    return found
