"""A multiplier that is put in is found within its interval as often as is said; where there is none it is 1 as often."""

from itertools import pairwise
from math import log

import numpy as np
import pytest
from tests.dial.swept import loss_at, row, rows

from cutaway.dial.price import COSTS, price, prices

DRAWS = 100
SWEEPS = (pytest.param(40, 0.86), pytest.param(200, 0.91, marks=pytest.mark.slow))
"""How many sweeps, and the share of them below which a rate of .95 falls about once in a hundred."""


@pytest.mark.parametrize(("sweeps", "often"), SWEEPS)
def test_a_known_multiplier_is_within_its_interval_as_often_as_stated_and_the_interval_is_narrow(
    sweeps: int, often: float
) -> None:
    within, wide = [], []
    for seed in range(sweeps):
        rng = np.random.default_rng((7000, seed))
        found = price([*rows(rng, budgets=5), *rows(rng, "p", lambda _: 3.0, first=1400)], "p", draws=DRAWS, seed=seed)
        assert found.overall is not None and found.overall.low is not None and found.overall.high is not None
        within.append(found.overall.low <= 3 <= found.overall.high)
        wide.append(log(found.overall.high / found.overall.low) / 2)
    assert np.mean(within) >= often
    assert np.median(wide) < 0.12


@pytest.mark.parametrize(("sweeps", "often"), SWEEPS)
def test_between_runs_of_one_kind_with_shuffled_labels_the_multiplier_is_1_as_often_as_stated(
    sweeps: int, often: float
) -> None:
    within = []
    for seed in range(sweeps):
        rng = np.random.default_rng((7100, seed))
        alike = rows(rng, budgets=5, seeds=6)
        for at in range(0, len(alike), 6):
            for label, each in zip(rng.permutation(["dense", "p"] * 3), alike[at : at + 6]):
                each["pressure"] = str(label)
        overall = price(alike, "p", draws=DRAWS, seed=seed).overall
        if overall is not None and overall.low is not None and overall.high is not None:
            within.append(overall.low <= 1 <= overall.high)
    assert len(within) >= 0.9 * sweeps
    assert np.mean(within) >= often


def test_a_price_that_grows_with_compute_has_that_trend() -> None:
    within, flat = [], []
    for seed in range(15):
        rng = np.random.default_rng((7200, seed))
        dense = rows(rng, budgets=5)
        growing = price([*dense, *rows(rng, "p", lambda c: 3 * (c / 1000) ** 0.3, first=1400)], "p", draws=DRAWS).trend
        still = price([*dense, *rows(rng, "p", lambda _: 3.0, first=1400)], "p", draws=DRAWS).trend
        assert growing is not None and growing.low is not None and growing.high is not None
        assert still is not None and still.low is not None and still.high is not None
        within.append(growing.low <= 0.3 / 1.3 <= growing.high)  # log m = .3 log c, and log compute = 1.3 log c
        flat.append(still.low <= 0 <= still.high)
    assert min(sum(within), sum(flat)) >= 12


def exact(**given) -> list:
    return rows(np.random.default_rng(0), noise=0.0, **given)


def test_without_noise_the_multiplier_is_that_of_the_loss_at_every_point_and_in_every_count() -> None:
    found = prices([*exact(budgets=5), *exact(pressure="p", multiplier=lambda _: 3.0, first=1400)])
    assert [each.cost for each in found] == list(COSTS)
    for each in found:
        assert [point.value.value for point in each.points] == pytest.approx([3.0] * 4, rel=0.01)
    on_the_knots = price([*exact(), *exact(pressure="p", multiplier=lambda _: 3.0)], "p")
    assert [point.value.value for point in on_the_knots.points] == pytest.approx([3.0] * 4, rel=1e-9)


def test_useful_operations_are_counted_as_they_are() -> None:
    sparse = [{**each, "useful_gflop": each["useful_gflop"] / 8} for each in exact(pressure="p")]
    overall = price([*exact(), *sparse], "p", "useful_gflop").overall
    assert overall is not None and overall.value == pytest.approx(1 / 8)


def test_dense_is_the_lower_envelope_so_worse_settings_change_nothing_and_better_ones_raise_the_price() -> None:
    sparse, dense = exact(pressure="p"), exact()
    plain = price([*dense, *sparse], "p").overall
    worse = [{**each, "loss": each["loss"] + 0.05, "lr": 1.0} for each in dense]
    better = [{**each, "loss": loss_at(2 * each["executed_gflop"]), "lr": 0.1} for each in dense]
    dearer = [{**each, "width": 512, "executed_gflop": 3 * each["executed_gflop"]} for each in dense]
    assert plain is not None and plain.value == pytest.approx(1.0)
    for more, expected in ((worse, 1.0), (dearer, 1.0)):
        overall = price([*dense, *more, *sparse], "p").overall
        assert overall is not None and overall.value == pytest.approx(expected)
    raised = price([*dense, *better, *sparse], "p", extrapolate=True)
    assert raised.points[1].value.value == pytest.approx(2.0, rel=0.01)


def test_beyond_the_dense_curve_nothing_is_said_unless_asked_and_then_it_is_marked() -> None:
    every = [*exact(budgets=3), *exact(pressure="p", budgets=4)]
    silent, asked = price(every, "p"), price(every, "p", extrapolate=True)
    assert len(silent.points) == 3 and not silent.extrapolated
    assert len(silent.refused) == 1 and "outside the dense curve" in silent.refused[0] and "more" in silent.refused[0]
    assert [point.extrapolated for point in asked.points] == [False, False, False, True] and not asked.refused
    assert str(asked.row["multiplier"]).startswith("extrapolated: ")
    assert not str(silent.row["multiplier"]).startswith("extrapolated: ")


@pytest.mark.parametrize(
    ("dense", "pressed", "said"), [(1, 4, "dense curve has 1"), (4, 1, "pressed curve has 1"), (0, 4, "has 0")]
)
def test_with_fewer_than_two_points_on_a_curve_there_is_no_multiplier(dense: int, pressed: int, said: str) -> None:
    found = price([*exact(budgets=dense), *exact(pressure="p", budgets=pressed)], "p")
    assert found.overall is None and found.trend is None and found.row["multiplier"] is None
    assert said in found.notes[0] and "two points" in found.notes[0]


def test_a_trend_needs_three_budgets_and_three_sizes() -> None:
    two = price([*exact(), *exact(pressure="p", budgets=2)], "p")
    one_width = price([{**each, "width": 16} for each in [*exact(), *exact(pressure="p")]], "p")
    assert price([*exact(), *exact(pressure="p", budgets=3)], "p").trend is not None
    for found in (two, one_width):
        assert found.overall is not None and found.trend is None and any("no trend" in note for note in found.notes)


def test_one_seed_gives_no_interval_and_says_so() -> None:
    found = price([*exact(seeds=1), *exact(pressure="p", seeds=1)], "p")
    assert found.overall is not None and found.overall.low is None
    assert any("no interval" in note for note in found.notes)


def test_a_run_that_diverged_counts_nowhere_and_runs_are_counted() -> None:
    lost = {**row("p", 0, 9, 0.01, 1000.0, 0.0), "loss": None, "executed_gflop": None}
    found = price([*exact(), *exact(pressure="p", seeds=2), lost], "p")
    assert found.runs == (12, 8) and found.widths == (4, 4) and found.untuned == ("dense", "p")


def test_the_curve_falls_between_its_points() -> None:
    from cutaway.dial.price import _Curve

    curve = _Curve([1.0, 1.01, 1.5, 1.52], [9.0, 5.0, 4.9, 1.0])
    read = [curve.at(loss) for loss in np.linspace(0.9, 1.6, 200)]
    assert all(after <= before for before, after in pairwise(read))
    assert [curve.at(loss) for loss in curve.loss] == pytest.approx(curve.compute)
