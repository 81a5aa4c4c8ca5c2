"""The intervals of the figures in docs/results.md: networks are the unit, and no share goes without one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks are no part of the installed package

from benchmarks.figures import Bar, averaged, clopper_pearson, clustered, share


@pytest.mark.parametrize("all_alike", [True, False])
def test_claims_that_all_come_out_alike_have_the_interval_of_as_many_networks(all_alike: bool) -> None:
    found = clustered([[all_alike] * count for count in (3, 1, 0, 8)], "claims")
    assert (found.low, found.high) == clopper_pearson(3 * all_alike, 3)
    assert found.low < found.high and found.value == float(all_alike)
    assert found.of == f"{12 * all_alike} of 12 claims of 3 networks"


def test_claims_of_one_network_are_no_independent_evidence() -> None:
    apart = clustered([[True]] * 30 + [[False]] * 10, "claims")
    together = clustered([[True] * 10] * 3 + [[False] * 10], "claims")
    assert apart.value == together.value == 0.75
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_a_mean_over_networks_has_an_interval_that_narrows_with_their_number() -> None:
    few, many = averaged([0.9, 1.0] * 8), averaged([0.9, 1.0] * 128)
    assert few.low < few.value < few.high and few.value == pytest.approx(many.value) == pytest.approx(0.95)
    assert many.high - many.low < 0.4 * (few.high - few.low)
    assert few.of == "mean of 16 networks"


def test_a_share_of_few_runs_does_not_decide_a_bar_that_its_interval_holds():
    most, few = Bar(0.9, True, "{:.1%}"), Bar(0.05, False, "{:.1%}")
    assert most.verdict(share(20, 20)) == "met, too few to decide" and most.verdict(share(200, 200)) == "met"
    assert few.verdict(share(0, 4)) == "met, too few to decide" and few.verdict(share(0, 93)) == "met"
    assert (
        most.verdict(share(17, 20)).endswith("too few to decide") and most.verdict(share(0, 20)) == "**missed** by 100%"
    )
