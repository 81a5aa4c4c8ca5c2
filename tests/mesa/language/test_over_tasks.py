"""Intervals are over tasks, not over prompts."""

import torch

from cutaway.mesa.language import OverTasks

EACH = torch.arange(20)


def test_a_share_of_tasks_has_its_exact_interval():
    half = OverTasks.share(torch.tensor([1.0, 0.0] * 10), EACH)
    assert (half.value, half.tasks) == (0.5, 20)
    assert (round(half.low, 3), round(half.high, 3)) == (0.272, 0.728)
    assert OverTasks.share(torch.ones(20), EACH).low < 0.9


def test_ties_count_half_and_widen_the_interval():
    ties = OverTasks.share(torch.full((21,), 0.5), torch.arange(21))
    exact = OverTasks.share(torch.tensor([1.0, 0.0] * 10 + [1.0]), torch.arange(21))
    assert ties.value == 0.5
    assert ties.low < exact.low < ties.high


def test_prompts_of_one_task_count_once():
    right = torch.tensor(([1.0] * 3 + [0.0] * 2) * 2 + ([1.0] * 2 + [0.0] * 3) * 2)
    clustered = OverTasks.share(right, EACH // 5)
    assert clustered.tasks == 4
    assert clustered == OverTasks.mean(torch.tensor([0.6, 0.6, 0.4, 0.4], dtype=torch.float64))
    assert 0 < clustered.low < clustered.high < 1


def test_tasks_that_all_come_out_alike_are_not_taken_for_certain():
    every = OverTasks.share(torch.ones(20), EACH // 5)
    assert (every.value, every.high) == (1, 1)
    assert every.low < 0.5


def test_the_difference_of_equal_figures_holds_nothing():
    one = OverTasks.share(torch.tensor([1.0, 0.0] * 10), EACH)
    gap = one.minus(one)
    assert gap.value == 0
    assert gap.low < 0 < gap.high
    assert not gap.above(0)


def test_what_is_unknown_is_left_out():
    nan = float("nan")
    assert OverTasks.mean(torch.tensor([1.0, nan, 3.0])).value == 2
    assert str(OverTasks.mean(torch.tensor([nan]))) == "–"
