"""Laws of elimination, on sets whose criterion is a plain sum."""

from __future__ import annotations

import torch

from cutaway.dial.prune.eliminate import eliminated, one_by_one, shortest

NEEDED = torch.tensor([3, 17, 40])


def over(kept: torch.Tensor) -> float:
    """Met when everything needed is there."""
    return 0.1 * int((~kept[NEEDED]).sum()) - 0.05


def slopes(kept: torch.Tensor) -> torch.Tensor:
    found = torch.full((len(kept),), 1e-6)
    found[NEEDED] = torch.tensor([0.1, 0.1, -0.1])
    return found


def test_what_is_not_needed_goes_and_what_is_needed_stays():
    left = eliminated(torch.ones(60, dtype=torch.bool), slopes, over)
    assert left.nonzero()[:, 0].tolist() == NEEDED.tolist()


def test_a_needed_part_without_a_slope_is_set_aside_and_the_rest_still_goes():
    left = eliminated(
        torch.ones(60, dtype=torch.bool), lambda kept: slopes(kept).where(torch.arange(60) != 17, 0.0), over
    )
    assert left.nonzero()[:, 0].tolist() == NEEDED.tolist()


def test_nothing_goes_where_everything_is_needed():
    kept = torch.ones(12, dtype=torch.bool)
    tried: list[int] = []

    def every(left: torch.Tensor) -> float:
        tried.append(int(left.sum()))
        return 0.0 if left.all() else 1.0

    assert eliminated(kept, lambda left: torch.zeros(12), every, tries=5).all()
    assert tried.count(11) == 5  # as many alone as it may try


def test_the_shortest_beginning_ends_soon_after_the_last_that_is_needed():
    kept = shortest(torch.arange(60), over)
    assert kept is not None
    assert 41 <= int(kept.sum()) <= 46 and kept[:41].all()
    assert over(kept) <= 0


def test_the_guess_changes_how_often_is_asked_not_whether_it_is_met():
    for guess in (1, 30, 60, 500):
        kept = shortest(torch.arange(60), over, guess)
        assert kept is not None and over(kept) <= 0


def test_there_is_no_beginning_where_even_everything_fails():
    assert shortest(torch.arange(60), lambda kept: 1.0) is None


def test_after_one_by_one_no_member_can_go():
    def pairs(kept: torch.Tensor) -> float:  # 0 or 1 is enough, and 2
        return -1.0 if (kept[0] or kept[1]) and kept[2] else 1.0

    left = one_by_one(torch.ones(5, dtype=torch.bool), pairs, range(5))
    assert left.tolist() == [False, True, True, False, False]
    for index in left.nonzero()[:, 0].tolist():
        smaller = left.clone()
        smaller[index] = False
        assert pairs(smaller) > 0
