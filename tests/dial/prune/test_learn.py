"""Masks that are learned keep what a task needs, and meet the criterion where few examples alone would miss it."""

from __future__ import annotations

import torch

from cutaway.dial.prune.learn import Learning, learned

NEEDED = torch.tensor([1.0, 1.0, 1.0] + [0.0] * 17)


def slope(kept: torch.Tensor, step: int) -> tuple[float, torch.Tensor]:
    """A nat for each needed candidate that is missing; the others change nothing."""
    return float((NEEDED * (1 - kept)).sum()), -NEEDED


def over(kept: torch.Tensor) -> float:
    """The same against a target of half a nat."""
    return slope(kept.float(), 0)[0] - 0.5


def test_what_is_needed_is_kept_and_the_rest_pays_its_price() -> None:
    height = learned(len(NEEDED), slope, over, 0.5, Learning())
    assert torch.equal(height > 0, NEEDED.bool())


def test_learning_goes_on_until_what_is_kept_meets_the_criterion() -> None:
    before, after = (
        learned(len(NEEDED), slope, over, 0.5, Learning(steps=40, price=1e4, push=1.0, rounds=rounds)) > 0
        for rounds in (0, 60)
    )
    assert over(before) > 0 >= over(after)
