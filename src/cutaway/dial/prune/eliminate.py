"""From an order of what is needed to a small set that still solves the task.

The shortest beginning of a learned order that meets the criterion, then rounds of elimination: what costs least by its
first-order effect goes, as much at once as the criterion bears. Nothing assumes that more is better: a set counts only when
it was run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Over = Callable[[Tensor], float]
"""By how many nats a set, given as a bool for each of its candidates, exceeds the criterion; 0 or less: it meets it."""

STALE = 3
"""So many in a row that cannot go alone, and the order that put them first is made anew."""
HOPE = 2.0
"""A round begins with as much as would use up so many times the room that is left, to first order."""


def shortest(order: Int[Tensor, "candidate"], over: Over, guess: int = 4) -> Bool[Tensor, "candidate"] | None:
    """A short beginning of `order` that meets the criterion, or None: `guess` doubled until one does, then the gap halved."""

    def meets(size: int) -> bool:
        return over(beginning(order, size)) <= 0

    low, size = 0, min(max(1, guess), len(order))
    while not meets(size):
        if size == len(order):
            return None
        low, size = size, min(2 * size, len(order))
    while size - low > max(1, size // 8):
        middle = (low + size) // 2
        low, size = (low, middle) if meets(middle) else (middle, size)
    return beginning(order, size)


def beginning(order: Int[Tensor, "candidate"], size: int) -> Bool[Tensor, "candidate"]:
    """The set of the first `size` of an order."""
    found = torch.zeros(len(order), dtype=torch.bool)
    found[order[:size]] = True
    return found


def eliminated(
    kept: Bool[Tensor, "candidate"],
    cost: Callable[[Tensor], Float[Tensor, "candidate"]],
    over: Over,
    tries: int = 16,
) -> Bool[Tensor, "candidate"]:
    """`kept`, which meets the criterion, without all that could go, one round after another.

    `cost` is by how much the loss rises, to first order, when each candidate goes; the size of it counts, as what is needed in
    a saturated mechanism may have a slope of either sign. A round drops the cheapest, many at once. What cannot go even alone is
    set aside for good; after `tries` of those in a row nothing more is tried.
    """
    aside, room = torch.zeros_like(kept), max(0.0, -over(kept))
    while (free := (kept & ~aside).nonzero()[:, 0]).numel():
        slopes = cost(kept)[free].abs()
        order = free[slopes.argsort(stable=True)]
        size = int((slopes.sort().values.cumsum(0) <= HOPE * room).sum())
        round_ = dropped(kept, order, over, max(1, size), tries)
        aside[round_.failed] = True
        if round_.room is None:
            break
        kept, room = round_.kept, round_.room
    return kept


@dataclass(frozen=True)
class Round:
    """What is left after a round; the nats that are left then, None if nothing could go; what could not go even alone."""

    kept: Tensor
    room: float | None
    failed: list[int]


def dropped(kept: Tensor, order: Int[Tensor, "some"], over: Over, size: int, tries: int) -> Round:
    """Drops along `order`: twice as many next where so many could go, else a third; one that cannot go alone is passed over.

    It ends where `tries` of those came in a row, or `STALE` after something was dropped: the order is another one by then.
    """
    start, room, failed, row = 0, None, [], 0
    while start < len(order) and row < (tries if room is None else STALE):
        left = without(kept, order[start : start + size])
        if (excess := over(left)) <= 0:
            kept, room, row = left, -excess, 0
            start, size = start + size, 2 * size
        elif size > 1:
            size = max(1, size // 3)
        else:
            failed.append(int(order[start]))
            start, row = start + 1, row + 1
    return Round(kept, room, failed)


def without(kept: Bool[Tensor, "candidate"], gone: Int[Tensor, "some"]) -> Bool[Tensor, "candidate"]:
    """The set less some of its members."""
    left = kept.clone()
    left[gone] = False
    return left


def one_by_one(kept: Bool[Tensor, "candidate"], over: Over, order: Sequence[int]) -> Bool[Tensor, "candidate"]:
    """`kept` in which, tried one at a time, no member can go any more: minimal, as a set from which nothing can be left out."""
    changed = True
    while changed:
        changed = False
        for index in order:
            if kept[index] and over(smaller := without(kept, torch.tensor([index]))) <= 0:
                kept, changed = smaller, True
    return kept
