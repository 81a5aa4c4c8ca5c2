"""Intervals that cover what they promise, q-values, and p-values that are uniform where nothing is there."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, kstest

from cutaway.decisions import Estimate, benjamini_hochberg, estimate
from cutaway.decisions.selective import pooled


def coverage(draws: int, rows: int, donor: float, prompt: float, noise: float, times: int = 4000) -> float:
    """The share of seeded simulations, with these spreads over donors, prompts and both, whose interval holds the truth."""
    rand = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(times, *shape, generator=rand, dtype=torch.float64)

    values = donor * normal(draws, 1) + prompt * normal(1, rows) + noise * normal(draws, rows)
    found = [estimate(one) for one in values]
    return sum(one.low <= 0 <= one.high for one in found) / times


@pytest.mark.parametrize(
    ("draws", "rows", "donor", "prompt", "noise"),
    [
        (8, 1, 1.0, 0.0, 0.0),
        (8, 32, 1.0, 0.2, 0.3),
        (1, 32, 0.0, 1.0, 0.0),
        (32, 32, 1.0, 1.0, 0.3),
        (4, 1, 1.0, 0.0, 0.0),
    ],
)
def test_intervals_cover_95_percent_where_one_spread_or_both_matter(
    draws: int, rows: int, donor: float, prompt: float, noise: float
) -> None:
    assert 0.93 <= coverage(draws, rows, donor, prompt, noise, 2000) <= 0.97


@pytest.mark.parametrize(("draws", "rows"), [(2, 32), (3, 8), (8, 8), (8, 64)])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_intervals_never_cover_less_with_few_donors(draws: int, rows: int, noise: float) -> None:
    assert coverage(draws, rows, 0.5, 1.0, noise, 1000) >= 0.93


def test_one_rerun_has_no_interval_and_decides_nothing() -> None:
    one = estimate(torch.tensor([[5.0]]))
    assert (one.known, one.low, one.high, one.n) == (False, 5.0, 5.0, 1)
    assert one.state(0.1) == "undecided"
    assert str(one) == "5 (no interval)"


def test_the_interval_says_what_it_is_over() -> None:
    assert estimate(torch.randn(8, 1)).over == "donors"
    assert estimate(torch.randn(1, 5)).over == "prompts"
    assert (estimate(torch.randn(8, 5)).n, estimate(torch.randn(8, 5)).over) == (5, "prompts")


def test_the_states_are_used_inert_and_undecided() -> None:
    def state(low: float, high: float) -> str:
        return Estimate((low + high) / 2, float(low), float(high), 8, "donors").state(1.0)

    assert [state(1.1, 2), state(-3, -1.1)] == ["used"] * 2
    assert [state(-1, 1), state(0, 0), state(0.9, 1.0)] == ["inert"] * 3
    assert [state(0.5, 1.5), state(-2, 2), state(-1.5, 0)] == ["undecided"] * 3
    assert Estimate(math.nan, math.nan, math.nan, 8, "donors").state(1.0) == "undecided"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_are_those_of_scipy(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p, method="bh"), abs=1e-12)


def test_pooled_p_values_are_uniform_when_the_part_is_one_of_its_draws() -> None:
    rand = torch.Generator().manual_seed(3)
    found: list[float] = []
    for _ in range(300):
        spread = torch.rand(6, 1, generator=rand) * 10 + 0.01
        drawn = (torch.randn(6, 41, generator=rand) * spread).abs()
        found += pooled(drawn[:, 0], drawn[:, 1:])[:1]
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.02 <= sum(p <= 0.05 for p in found) / len(found) <= 0.085


def test_pooled_p_values_see_a_part_that_moves_more_than_its_draws() -> None:
    rand = torch.Generator().manual_seed(3)
    null = torch.randn(4, 40, generator=rand).abs()
    p = pooled(torch.tensor([50.0, 0.5, 0.5, 0.0]), null)
    assert p[0] == 1 / 161
    assert p[1] > 0.2
    assert p[3] == 1.0


def test_what_is_not_a_number_is_no_discovery() -> None:
    null = torch.rand(3, 40, generator=torch.Generator().manual_seed(0))
    assert pooled(torch.tensor([math.nan, 0.1, 0.1]), null)[0] == 1.0
    null[1, 3] = math.nan
    assert pooled(torch.tensor([0.1, 100.0, 0.1]), null)[1] == 1.0
