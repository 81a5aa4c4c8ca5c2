"""From an order of what is needed to a small set that still solves the task.

The shortest beginning of a learned order that meets the criterion, then rounds of elimination: what costs least by its
first-order effect goes, as much at once as the criterion bears. Nothing assumes that more is better: a set counts only when
it was run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Meets = Callable[[Tensor], bool]
"""Whether a set, given as a bool for each of its candidates, meets the criterion."""


def shortest(order: Int[Tensor, "candidate"], meets: Meets, guess: int = 4) -> Bool[Tensor, "candidate"] | None:
    """A short beginning of `order` that meets the criterion, or None: `guess` doubled until one does, then the gap halved."""

    def beginning(size: int) -> Tensor:
        found = torch.zeros(len(order), dtype=torch.bool)
        found[order[:size]] = True
        return found

    low, size = 0, min(max(1, guess), len(order))
    while not meets(beginning(size)):
        if size == len(order):
            return None
        low, size = size, min(2 * size, len(order))
    while size - low > max(1, size // 8):
        middle = (low + size) // 2
        low, size = (low, middle) if meets(beginning(middle)) else (middle, size)
    return beginning(size)


def eliminated(
    kept: Bool[Tensor, "candidate"],
    cost: Callable[[Tensor], Float[Tensor, "candidate"]],
    meets: Meets,
    tries: int = 16,
) -> Bool[Tensor, "candidate"]:
    """`kept` without all that could go, one round after another.

    `cost` is by how much the loss rises, to first order, when each candidate goes; the size of it counts, as what is needed in
    a saturated mechanism may have a slope of either sign. A round drops a long beginning of the cheapest. What cannot go even
    alone is set aside for good; after `tries` of those without one that could go, nothing more is tried.
    """
    aside = torch.zeros_like(kept)
    size = len(kept)
    while (free := (kept & ~aside).nonzero()[:, 0]).numel():
        order = free[cost(kept)[free].abs().argsort(stable=True)]
        dropped, failed = longest(
            order, lambda gone, kept=kept: meets(without(kept, gone)), min(size, len(order)), tries
        )
        aside[failed] = True
        if not len(dropped):
            break
        kept, size = without(kept, dropped), 4 * len(dropped)
    return kept


def longest(
    order: Int[Tensor, "some"], bears: Callable[[Tensor], bool], size: int, tries: int
) -> tuple[Int[Tensor, "fewer"], Int[Tensor, "failed"]]:
    """A long beginning of `order` that can go, at most half of it, and what could not go alone before it in the order."""
    size = max(1, min(size, len(order) // 2))
    start = 0
    while start < min(tries, len(order)):
        if bears(order[start : start + size]):
            return order[start : start + size], order[:start]
        start, size = (start, size // 2) if size > 1 else (start + 1, 1)
    return order[:0], order[:start]


def without(kept: Bool[Tensor, "candidate"], gone: Int[Tensor, "some"]) -> Bool[Tensor, "candidate"]:
    """The set less some of its members."""
    left = kept.clone()
    left[gone] = False
    return left


def one_by_one(kept: Bool[Tensor, "candidate"], meets: Meets, order: Sequence[int]) -> Bool[Tensor, "candidate"]:
    """`kept` in which, tried one at a time, no member can go any more: minimal, as a set from which nothing can be left out."""
    changed = True
    while changed:
        changed = False
        for index in order:
            if kept[index] and meets(smaller := without(kept, torch.tensor([index]))):
                kept, changed = smaller, True
    return kept
