"""Permuted labels, and what is rarer than chance under them.

READ claims that positives differ from *every* contrast, so its null is that they do not differ from some one of them. Each
contrast therefore has its own permutations, of positives with the rows of that contrast alone, within each split; the claim
holds as strongly as it does for the weakest contrast (an intersection-union test, Berger 1982). Statistic: the search's own
outcome, rerun under each permutation. p = (1 + null outcomes at least as high) / (1 + permutations).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.read.question import Question


@dataclass(frozen=True, eq=False)
class Trades:
    """Which rows may trade places when positives are mixed with the rows of one contrast, within each split.

    `swapped`: units that hold as many of both, which swap them as a whole, or not (so minimal pairs stay pairs, and the
    pairs of a group swap together). `shuffled`: units that hold both unevenly, shuffled inside. `placed`: by split and size,
    units of one kind [units, size], which trade places with each other. Where nothing can be traded the labels stay, which
    makes the null higher and the claim weaker.
    """

    number: int
    swapped: tuple[np.ndarray, ...]
    shuffled: tuple[np.ndarray, ...]
    placed: tuple[np.ndarray, ...]


def labellings(asked: Question, permutations: int, seed: int) -> Int[Tensor, "labellings rows"]:
    """The true sets, then `permutations` for each contrast in turn."""
    found = [asked.sets]
    for number in range(1, len(asked.contrasts) + 1):
        drawn = np.random.default_rng((seed, crc32(asked.name.encode()), number))
        known = trades(asked, number)
        found += [permuted(asked.sets, known, drawn) for _ in range(permutations)]
    return torch.stack(found)


def trades(asked: Question, number: int) -> Trades:
    """What may be traded between the positives and contrast `number`."""
    sets = asked.sets.tolist()
    units: defaultdict[tuple[str, Hashable], list[int]] = defaultdict(list)
    for row, (one, split) in enumerate(zip(sets, asked.splits)):
        if one in (0, number):
            units[split, asked.units[row]].append(row)
    swapped, shuffled = [], []
    placed: defaultdict[tuple[str, int], list[list[int]]] = defaultdict(list)
    for (split, _), rows in units.items():
        positives = sum(sets[row] == 0 for row in rows)
        if positives in (0, len(rows)):
            placed[split, len(rows)].append(rows)
        else:
            (swapped if 2 * positives == len(rows) else shuffled).append(np.array(rows))
    return Trades(number, tuple(swapped), tuple(shuffled), tuple(map(np.array, placed.values())))


def permuted(sets: Int[Tensor, "rows"], known: Trades, drawn: np.random.Generator) -> Int[Tensor, "rows"]:
    """The sets after one round of trades."""
    mixed = sets.numpy().copy()
    swaps = drawn.random(len(known.swapped)) < 0.5
    for rows in (rows for rows, swaps_now in zip(known.swapped, swaps) if swaps_now):
        mixed[rows] = known.number - mixed[rows]
    for rows in known.shuffled:
        mixed[rows] = drawn.permutation(mixed[rows])
    for rows in known.placed:
        mixed[rows] = drawn.permutation(mixed[rows[:, 0]])[:, None]
    return torch.from_numpy(mixed)


def p_value(observed: float, null: Float[Tensor, "contrasts permutations"]) -> float:
    """The largest over the contrasts of (1 + null outcomes at least as high) / (1 + permutations)."""
    return float(((null >= observed - 1e-12).sum(1) + 1).max()) / (null.shape[1] + 1)


def pooled(observed: Sequence[float], nulls: Sequence[Float[Tensor, "contrasts permutations"]]) -> list[float]:
    """p-values of several concepts against the null outcomes of all of them.

    20 permutations of one concept end at p = 1/21, from which no correction over 76 concepts leaves anything. So every
    outcome is scaled by the mean and spread of the other permutations of its own concept and contrast, and compared with
    all null outcomes so scaled. It assumes that nulls of concepts differ in place and width, not in shape.
    """
    drawn = torch.cat([_scaled_null(null).flatten() for null in nulls]).sort().values
    found = []
    for one, null in zip(observed, nulls):
        spread = null.std(1) * (1 + 1 / null.shape[1]) ** 0.5
        scaled = (one - null.mean(1)) / spread
        scaled = scaled.where(spread > 0, torch.where(one > null.mean(1), torch.inf, -torch.inf).to(scaled))
        higher = len(drawn) - torch.searchsorted(drawn, scaled - 1e-9)
        found.append(float((higher + 1).max()) / (len(drawn) + 1))
    return found


def _scaled_null(null: Float[Tensor, "contrasts permutations"]) -> Float[Tensor, "contrasts permutations"]:
    """Each outcome scaled by the mean and spread of the others of its row; 0 where these do not differ."""
    n = null.shape[1]
    others = (null.sum(1, keepdim=True) - null) / (n - 1)
    square = (null.square().sum(1, keepdim=True) - null.square()) / (n - 1) - others.square()
    spread = (square.clamp(min=0) * (n - 1) / (n - 2) * n / (n - 1)).sqrt()
    return ((null - others) / spread).where(spread > 1e-9, torch.zeros_like(null))
