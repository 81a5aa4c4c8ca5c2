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


def shortest(order: Int[Tensor, "candidate"], meets: Meets) -> Bool[Tensor, "candidate"] | None:
    """The shortest beginning of `order` that meets the criterion, among sizes that double and then halve the gap; or None."""

    def beginning(size: int) -> Tensor:
        found = torch.zeros(len(order), dtype=torch.bool)
        found[order[:size]] = True
        return found

    size = 4
    while not meets(beginning(size)):
        if size >= len(order):
            return None
        size = min(2 * size, len(order))
    low, high = size // 2, size
    while high - low > max(1, high // 16):
        middle = (low + high) // 2
        low, high = (low, middle) if meets(beginning(middle)) else (middle, high)
    return beginning(high)


def eliminated(
    kept: Bool[Tensor, "candidate"],
    cost: Callable[[Tensor], Float[Tensor, "candidate"]],
    meets: Meets,
    tries: int = 8,
) -> Bool[Tensor, "candidate"]:
    """`kept` without all that could go, one round after another.

    `cost` is by how much the loss rises, to first order, when each candidate goes. A round drops a long beginning of the
    cheapest that the criterion bears; where not even the cheapest can go, the next `tries` are tried alone.
    """
    while kept.any():
        there = kept.nonzero()[:, 0]
        cheapest = there[cost(kept)[there].argsort(stable=True)]
        dropped = longest(cheapest, lambda gone, kept=kept: meets(without(kept, gone)), tries)
        if not len(dropped):
            break
        kept = without(kept, dropped)
    return kept


def longest(order: Int[Tensor, "some"], bears: Callable[[Tensor], bool], tries: int) -> Int[Tensor, "fewer"]:
    """A long beginning of `order` that can go: half of it, a quarter, …, the first; or one of the next; or nothing."""
    size = max(1, len(order) // 2)
    while size:
        if bears(order[:size]):
            return order[:size]
        size //= 2
    return next((one for one in order[1 : 1 + tries, None] if bears(one)), order[:0])


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
