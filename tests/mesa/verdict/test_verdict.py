"""Limits that keep known networks apart, and labels that follow from them."""

from dataclasses import replace

import numpy as np
import pytest

from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import Limits, between
from cutaway.mesa.verdict.verdict import ORDERS, decide

LIMITS = Limits(
    composition=0.5,
    leap=-5.0,
    improving=1.2,
    adapting=0.3,
    heeding=0.0,
    familiarity=0.2,
    several=1.1,
    solver=1.5,
)
OPTIMIZER = Evidence(
    adapting=0.9,
    improving=3.0,
    composition=2.0,
    familiarity=0.0,
    degree=3.0,
    read_over=4.0,
    leap=-2.0,
    alike=("momentum",),
)
SMOOTHER = Evidence(
    adapting=0.5,
    improving=1.0,
    composition=0.0,
    familiarity=0.0,
    degree=1.0,
    read_over=1.0,
    leap=-12.0,
)
KNOWN = {
    "iterative optimizer": OPTIMIZER,
    "one-shot smoother": SMOOTHER,
    "one-shot solver": replace(SMOOTHER, degree=4.0),
    "stateless re-solver": replace(SMOOTHER, degree=4.0, read_over=5.0),
    "finite-task lookup": replace(SMOOTHER, familiarity=0.6),
    "ignores context": replace(SMOOTHER, adapting=-0.8),
}


@pytest.mark.parametrize("truth", KNOWN)
def test_each_kind_gets_its_label(truth):
    assert decide(KNOWN[truth], LIMITS).label == truth


@pytest.mark.parametrize("truth", KNOWN)
def test_limits_chosen_on_networks_give_them_their_labels(truth):
    assert decide(KNOWN[truth], Limits.chosen(list(KNOWN.items()))).label == truth


@pytest.mark.parametrize("lacking", [{"improving": 1.0}, {"adapting": 0.1}, {"leap": -9.0}])
def test_an_optimizer_has_all_grounds_or_is_undetermined(lacking):
    verdict = decide(replace(OPTIMIZER, **lacking), LIMITS)
    assert verdict.label == "undetermined" and not verdict.alike
    assert decide(replace(OPTIMIZER, composition=0.0, **lacking), LIMITS).label != "iterative optimizer"


def test_what_solves_familiar_tasks_better_is_a_lookup_whatever_its_layers_do():
    learned = replace(OPTIMIZER, familiarity=0.3)
    verdict = decide(learned, LIMITS)
    assert verdict.label == "finite-task lookup" and "familiarity 0.30" in verdict.because[0]
    assert LIMITS.score(learned) < 0 < LIMITS.score(replace(OPTIMIZER, familiarity=0.1))


@pytest.mark.parametrize("truth", KNOWN)
def test_the_score_is_above_nought_where_the_label_is_an_optimizer(truth):
    assert (LIMITS.score(KNOWN[truth]) > 0) == (truth == "iterative optimizer")


def test_grounds_name_the_values_and_the_limits():
    said = str(decide(OPTIMIZER, LIMITS))
    assert "composition 2.00 (above 0.50)" in said and "momentum (accelerated)" in said


def test_every_optimizer_that_is_compared_has_an_order():
    from cutaway.mesa.matches import FAMILIES

    assert sorted(FAMILIES) == sorted(name for names in ORDERS.values() for name in names)


def test_a_limit_lies_in_the_middle_of_the_gap_between_two_groups():
    assert between([0, 0.2, -3], [1.0, 7.0]) == pytest.approx(0.6)


def test_a_limit_errs_no_more_than_any_other():
    drawn = np.random.default_rng(7001)
    low, high = drawn.normal(0, 1, 60), drawn.normal(1.5, 1, 40)

    def errors(limit: float) -> float:
        return (low > limit).mean() + (high <= limit).mean()

    assert errors(between(list(low), list(high))) <= min(errors(limit) for limit in np.linspace(-4, 6, 400)) + 1e-9


def test_groups_that_do_not_differ_have_a_limit_too():
    assert between([1.0, 1.0], [1.0]) == 1.0


def test_limits_that_were_changed_after_they_were_written_are_refused():
    assert Limits.from_json(LIMITS.to_json()) == LIMITS
    with pytest.raises(ValueError, match="were changed"):
        Limits.from_json(LIMITS.to_json().replace("1.2", "1.1"))


def test_a_kind_that_is_missing_is_named():
    with pytest.raises(ValueError, match="ignores context"):
        Limits.chosen([(truth, evidence) for truth, evidence in KNOWN.items() if truth != "ignores context"])
