"""Of a product of log-normal inputs the interval is known in closed form, and the widest input dominates."""

import math

import pytest

from cutaway.ledger.estimate import imagenet
from cutaway.ledger.figure import Figure
from cutaway.ledger.uncertainty import dominant, interval, sensitivity

WIDE, NARROW = Figure(10, "", "assumed", "wide", 8.0), Figure(3, "", "declared", "narrow", 2.0)
EXACT = Figure(5, "", "measured", "exact")
PRODUCT = WIDE * EXACT / NARROW


def test_the_interval_of_a_product_is_the_root_of_the_sum_of_squared_logarithms():
    found = interval(PRODUCT, seed=7000, draws=100_000)
    factor = math.exp(math.hypot(math.log(8), math.log(2)))
    assert found.high == pytest.approx(PRODUCT.value * factor, rel=0.04)
    assert found.low == pytest.approx(PRODUCT.value / factor, rel=0.04)
    assert found.median == pytest.approx(PRODUCT.value, rel=0.02)


def test_the_shares_of_a_product_are_those_of_its_variance_and_the_widest_comes_first():
    (first, most), (second, rest) = interval(PRODUCT, seed=7000, draws=100_000).shares
    whole = math.log(8) ** 2 + math.log(2) ** 2
    assert (first, second) == ("wide", "narrow")
    assert most == pytest.approx(math.log(8) ** 2 / whole, abs=0.01) and rest == pytest.approx(1 - most, abs=0.01)


def test_the_same_seed_gives_the_same_interval_and_another_another():
    assert interval(PRODUCT, seed=7001) == interval(PRODUCT, seed=7001)
    assert interval(PRODUCT, seed=7001).low != interval(PRODUCT, seed=7002).low


def test_moving_one_input_of_a_product_moves_it_by_the_square_of_its_factor():
    swings = sensitivity(PRODUCT)
    assert [swing.input.name for swing in swings] == ["wide", "narrow", "exact"]
    assert [swing.size for swing in swings] == pytest.approx([64, 4, 1])


def test_the_dominant_input_is_named_and_what_was_measured_never_is():
    wide, of_imagenet = dominant(PRODUCT), dominant(imagenet().ratio)
    assert wide is not None and wide.name == "wide"
    assert of_imagenet is not None and of_imagenet.name in ("time of understanding", "training")
    assert dominant(EXACT * 2) is None


def test_a_figure_of_measured_inputs_has_an_interval_without_width():
    found = interval(EXACT * 2, seed=7000)
    assert (found.low, found.high, found.shares) == (10, 10, ())


def test_an_interval_prints_with_the_mark_of_its_figure():
    text = str(interval(imagenet().ratio, seed=7000))
    assert text.startswith("50,000× [") and text.endswith("(95%; assumed: price of understanding)")


def test_what_has_no_logarithm_cannot_be_varied():
    with pytest.raises(ValueError, match=r"expected more than 0.*try within=1"):
        interval(Figure(0, "USD", "declared", "nothing") + Figure(1, "USD"), seed=7000)
