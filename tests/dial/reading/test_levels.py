"""Laws of levels: no more is lost than is allowed, no split is better, curves and thresholds are found again."""

from itertools import combinations

import numpy as np
import pytest

from cutaway.dial.reading.levels import Curve, Rise, Steps, curve, levels, runs, steps


def lost(values: np.ndarray, weights: np.ndarray, ends: tuple[int, ...]) -> float:
    parts = zip(np.split(values, ends), np.split(weights, ends))
    return sum(float((w * (v - np.average(v, weights=w)) ** 2).sum()) for v, w in parts)


@pytest.mark.parametrize("seed", range(4))
def test_no_split_into_as_many_runs_loses_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=9), rng.uniform(0.1, 1, size=9)
    for count in (2, 3, 4):
        found = runs(values, weights, 0.0, count)
        best = min(lost(values, weights, ends) for ends in combinations(range(1, 9), count - 1))
        assert len(found) == count - 1
        assert lost(values, weights, tuple(found)) == pytest.approx(best)


def test_levels_lose_no_more_than_allowed_and_are_the_fewest() -> None:
    values = np.array([0.0, 5.0, 0.1, 5.1, 9.0])
    found = levels(values, np.ones(5), 0.01, 5)
    assert sorted([*found.values, found.other]) == [0.05, 5.05, 9.0]
    assert np.square(found.at(np.arange(5)) - values).mean() <= 0.01
    assert levels(values, np.ones(5), 100.0, 5).groups == ()


def test_a_line_and_a_parabola_are_found_and_a_step_is_not() -> None:
    places = np.arange(10)
    assert curve(3.0 - 2.0 * places, np.ones(10), 1e-6) == Curve((3.0, -2.0))
    square = curve(1.0 * places**2, np.ones(10), 1e-6)
    assert square is not None and square.powers[2] == pytest.approx(1)
    assert curve((places > 4).astype(float), np.ones(10), 1e-3) is None


def test_a_threshold_is_found_and_what_is_smooth_is_a_rise() -> None:
    x = np.random.default_rng(0).normal(size=2000)
    found = steps(x, np.where(x > 0.3, 2.0, 0.0), 0.01, 4)
    assert isinstance(found, Steps)
    assert found.thresholds == (pytest.approx(0.3, abs=0.05),)
    assert steps(x, x.clip(0), 0.002, 3) == Rise()


def test_inputs_that_do_not_occur_have_the_level_that_is_nearer_to_gelu() -> None:
    x = np.array([-4.0, -3.0, 3.5, 4.0] * 20)
    found = steps(x, Rise().at(x), 0.01, 3)
    assert isinstance(found, Steps) and len(found.thresholds) == 1
    between = np.linspace(-2.9, 3.4, 50)
    low, high = found.values
    nearer = np.where(Rise().at(between) > (low + high) / 2, high, low)
    assert (found.at(between) == nearer).mean() >= 0.98
    never = steps(x, np.where(x > 0, 9.0, 0.0), 0.01, 3)
    assert isinstance(never, Steps) and never.thresholds == (pytest.approx(0.25),)
