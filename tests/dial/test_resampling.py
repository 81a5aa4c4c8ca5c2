"""Intervals of a bootstrap of few units hold what they are about as often as is said."""

import numpy as np
import pytest

from cutaway.dial.resampling import Estimate, estimate, weights


def of_mean(values: np.ndarray, generator: np.random.Generator) -> Estimate:
    drawn = weights(len(values), 300, generator) @ values
    return estimate(float(values.mean()), drawn, drawn[:, None, None], [len(values)])


@pytest.mark.parametrize("units", [2, 3, 12])
def test_the_mean_of_few_normal_numbers_is_within_its_interval_in_95_percent(units: int) -> None:
    generator, within = np.random.default_rng(7000), []
    for _ in range(250):
        found = of_mean(generator.standard_normal(units), generator)
        within.append(found.low <= 0 <= found.high)
    assert 0.91 <= np.mean(within) <= 0.985


def test_weights_sum_to_one_and_spread_as_means_of_so_many_do() -> None:
    drawn = weights(3, 4000, np.random.default_rng(7000))
    assert drawn.sum(1) == pytest.approx(1.0)
    values = np.array([0.0, 1.0, 5.0])
    assert (drawn @ values).std() == pytest.approx(values.std(ddof=1) / 3**0.5, rel=0.05)


def test_a_group_that_moves_nothing_does_not_lend_its_many_units() -> None:
    generator = np.random.default_rng(7000)
    drawn = weights(2, 500, generator) @ np.array([0.0, 1.0])
    still = np.stack([drawn, weights(50, 500, generator) @ np.zeros(50)], 1)[:, :, None]
    both = estimate(0.5, drawn, still, [2, 50])
    alone = estimate(0.5, drawn, drawn[:, None, None], [2])
    assert (both.low, both.high) == pytest.approx((alone.low, alone.high))


def test_two_figures_of_the_same_units_are_known_from_no_more_than_one_is() -> None:
    chosen = weights(3, 500, np.random.default_rng(7000))
    one, other = chosen @ np.array([0.0, 1.0, 5.0]), chosen @ np.array([2.0, 0.0, 1.0])
    both = estimate(0.0, one + other, np.stack([one, other], 1)[:, None], [3])
    alone = estimate(0.0, one + other, (one + other)[:, None, None], [3])
    assert (both.low, both.high) == pytest.approx((alone.low, alone.high))


def test_of_single_units_there_is_no_interval() -> None:
    found = of_mean(np.array([1.5]), np.random.default_rng(0))
    assert found == Estimate(1.5) and "[–]" in str(found)


def test_the_factor_of_a_logarithm_has_its_ends() -> None:
    found = Estimate(0.0, -1.0, 1.0).factor
    assert (found.value, found.low, found.high) == pytest.approx((1.0, np.exp(-1), np.e))
