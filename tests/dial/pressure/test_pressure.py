"""When a pressure acts, and which pressures go together."""

from itertools import pairwise

import pytest

from cutaway.dial.pressure import AttentionTopK, Pressure, Proximal, Ramp, Regrowth, Step, TopK
from cutaway.dial.pressure.pressure import check_combination


def along(ramp: Ramp, start: float, goal: float, steps: int = 100) -> list[float]:
    return [ramp.at(Step(number, steps, 1.0), start, goal) for number in range(steps)]


@pytest.mark.parametrize("curve", ["linear", "exponential"])
def test_a_ramp_leaves_its_start_and_reaches_its_goal_exactly_and_never_turns(curve):
    values = along(Ramp(0.1, 0.7, curve), 1.0, 0.3)
    assert values[:10] == [1.0] * 10
    assert values[69:] == [0.3] * 31
    assert all(0.3 < b < a for a, b in pairwise(values[9:69]))


def test_a_linear_ramp_is_half_way_at_the_mean_and_an_exponential_one_at_the_geometric_mean():
    assert along(Ramp(0.0, 1.0), 1.0, 0.25)[49] == pytest.approx(0.625)
    assert along(Ramp(0.0, 1.0, "exponential"), 1.0, 0.25)[49] == pytest.approx(0.5)


def test_a_ramp_over_the_whole_run_is_done_at_the_last_step():
    assert along(Ramp(0.0, 1.0), 1.0, 0.25, steps=7)[-1] == 0.25


@pytest.mark.parametrize(("begin", "end"), [(0.5, 0.5), (0.6, 0.5), (-0.1, 0.5), (0.0, 1.1)])
def test_a_ramp_that_goes_nowhere_is_refused(begin, end):
    with pytest.raises(ValueError, match="0 ≤ begin < end ≤ 1"):
        Ramp(begin, end)


def test_a_pressure_that_writes_no_method_asks_for_nothing():
    class Nothing(Pressure):
        pass

    nothing, step = Nothing(), Step(0, 1, 1.0)
    assert nothing.rate(step) == 1
    assert nothing.loss(None, None, None, step) is None
    assert nothing.report(None) == {}


def test_pressures_that_contradict_each_other_are_refused():
    check_combination((TopK(), Proximal(), AttentionTopK()))
    with pytest.raises(ValueError, match="TopK and Regrowth both decide which weights live"):
        check_combination((TopK(), Proximal(), Regrowth()))
    with pytest.raises(ValueError, match="Proximal is given twice"):
        check_combination((Proximal(), Proximal(penalty=0.1)))
    with pytest.raises(ValueError, match="'topk' given as a pressure"):
        check_combination(("topk",))
