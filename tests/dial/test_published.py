"""Only what matches in sparsity, loss regime and readability is called comparable."""

from dataclasses import replace

import numpy as np
import pytest
from tests.dial.swept import rows

from cutaway.dial.price import price
from cutaway.dial.published import against
from cutaway.dial.resampling import Estimate

PRICE = price([*rows(np.random.default_rng(0)), *rows(np.random.default_rng(1), "p")], "p", extrapolate=False)
ALIKE = {"share": 1 / 900, "corpus": "library", "tokens": 2 * 10**9, "smaller": Estimate(17.0)}


def test_where_all_three_match_it_is_comparable() -> None:
    said = against(replace(PRICE, points=()), **ALIKE)
    assert "match" in said and "not comparable" not in said and "100–1000×" in said


@pytest.mark.parametrize(
    ("unlike", "said"),
    [
        ({"share": 1 / 16}, "sparsity 1:16 here, about 1:1000 there"),
        ({"corpus": "tiny"}, "loss regime: a made language"),
        ({"tokens": 10**6}, "loss regime: 1e+06 tokens"),
        ({"smaller": Estimate(3.0)}, "circuits 3× smaller here, 16× there"),
        ({"smaller": None}, "not measured at equal loss"),
    ],
)
def test_what_does_not_match_is_not_comparable_and_is_named(unlike: dict, said: str) -> None:
    found = against(PRICE, **{**ALIKE, **unlike})
    assert "not comparable (" in found and said in found


def test_without_a_multiplier_nothing_is_comparable() -> None:
    assert "not comparable (there is no multiplier here)" in against(replace(PRICE, overall=None, points=()), **ALIKE)
