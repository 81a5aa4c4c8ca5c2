"""AUROC against its definition, and bounds against figures that can be worked out by hand."""

import numpy as np
import pytest

from cutaway.mesa.verdict.rates import Rate, auroc, rate


def test_a_constant_tells_nothing_apart():
    assert auroc([1.0] * 7, [1.0] * 5) == 0.5


def test_auroc_is_the_share_of_pairs_in_order():
    drawn = np.random.default_rng(0)
    high, low = drawn.integers(0, 6, 40), drawn.integers(0, 5, 30)
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in high for b in low]
    assert auroc(list(high), list(low)) == pytest.approx(np.mean(pairs))


def test_no_hit_in_299_bounds_the_rate_at_one_percent_and_one_in_473_does():
    assert Rate(0, 299).upper == pytest.approx(1 - 0.05 ** (1 / 299))
    assert Rate(0, 299).upper <= 0.0100 < Rate(0, 298).upper
    assert Rate(1, 473).upper <= 0.0100 < Rate(1, 472).upper


def test_rates_count_outcomes():
    assert rate([True, False, True]) == Rate(2, 3)
    assert Rate(3, 3).upper == 1.0


def test_a_value_that_is_no_number_is_said():
    with pytest.raises(ValueError, match="NaN"):
        auroc([float("nan")], [0.0])
    with pytest.raises(ValueError, match="0 negatives"):
        auroc([1.0], [])
