"""Signs on networks whose answer is known: retention by its law, degrees by theory, and what a changed weight moves."""

from dataclasses import replace

import pytest
import torch
from tests.mesa.signs.seen import DEPTH, RATE, TASK, descending, descent_read, turned, watching, with_layer

from cutaway.mesa.controls import (
    CountedRidgePath,
    KernelEnsemble,
    LeakyRidgePath,
    RidgeAtOnce,
    RidgePath,
    StagedRidge,
    relayed,
)
from cutaway.mesa.optimizers import GradientDescent, KernelGradientDescent, NewtonSchulz
from cutaway.mesa.signs.beyond import beyond
from cutaway.mesa.signs.composition import composition
from cutaway.mesa.signs.curvature import curvature
from cutaway.mesa.signs.degree import degree
from cutaway.mesa.signs.leap import leap
from cutaway.mesa.signs.retarget import retarget
from cutaway.mesa.signs.spectral import spectral
from cutaway.mesa.signs.steps import GRID, steps
from cutaway.mesa.signs.symmetry import symmetry
from cutaway.mesa.tasks import Smooth
from cutaway.mesa.watched import Watched


@pytest.mark.parametrize("turn", [False, True])
def test_gradient_descent_keeps_of_what_is_written_what_its_law_says(turn):
    watched = watching(turned(descending()) if turn else descending())
    kept = watched.retention
    for layer in range(1, DEPTH):
        law = (1 - RATE * kept.curvatures) ** (DEPTH - layer)
        torch.testing.assert_close(kept.shares[layer - 1], law, atol=1e-6, rtol=0)


def test_a_finished_answer_keeps_all_that_is_written_and_a_fresh_solution_nothing():
    once, path = (watching(kind.compiled(4, DEPTH)).retention for kind in (RidgeAtOnce(), RidgePath()))
    assert once.shares.sub(1).abs().max() < 1e-9 and path.shares.abs().max() < 1e-9


def test_a_leak_forgets_alike_in_all_directions():
    kept = watching(LeakyRidgePath(keep=0.5).compiled(4, DEPTH)).retention
    assert kept.slopes().abs().max() < 1e-9
    torch.testing.assert_close(kept.by_layer(), torch.tensor([0.5**left for left in (4, 3, 2, 1)]).double())


def exact_degrees(subject) -> list[int]:
    return watching(subject).form.degrees(factor=1.0, slack=1e-9)


def test_gradient_descent_multiplies_with_the_data_once_a_step():
    assert exact_degrees(descending()) == list(range(DEPTH + 1))


def test_newton_schulz_doubles_its_degree():
    assert exact_degrees(NewtonSchulz(0.35).compiled(4, 4)) == [0, 1, 2, 4, 8]


def test_kernel_descent_is_named_by_its_kernel():
    watched = Watched.of(KernelGradientDescent(1.0, 1.5).compiled(2, 4), Smooth(), 7008, fit=48, held=24)
    assert watched.form.kernel == "gaussian 1.5"
    assert watched.form.degrees(1.0, 1e-9) == list(range(5))


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("following", [False, True])
def test_a_leaky_ridge_path_has_its_degree_in_one_layer(keep, following):
    leaky = watching(LeakyRidgePath(keep=keep, following=following).compiled(4, DEPTH))
    assert composition(leaky).value <= 0
    assert descent_read().values()["composition"] >= 1


@pytest.mark.parametrize("second", [2, 4])
def test_a_solution_in_stages_is_one_leap_from_the_first(second):
    staged = watching(StagedRidge(0.2, second).compiled(4, DEPTH))
    assert composition(staged).value >= 1 and leap(staged).value < -11
    assert descent_read().values()["beyond a leap"] > -3


def test_two_steps_are_one_leap_and_three_are_more():
    two, three = (watching(replace(descending(), layers=descending().layers[:count])) for count in (2, 3))
    assert leap(two).value == -12 < -4 < leap(three).value


@pytest.mark.parametrize(
    "subject",
    [
        CountedRidgePath().compiled(4, DEPTH),
        relayed(RidgePath().compiled(4, DEPTH)),
        relayed(LeakyRidgePath(keep=0.5).compiled(4, DEPTH)),
        relayed(KernelEnsemble().compiled(4, DEPTH)),
        relayed(CountedRidgePath().compiled(4, DEPTH)),
    ],
    ids=["counted", "relayed", "leaky", "ensemble", "both"],
)
def test_no_count_and_no_label_handed_on_makes_a_fresh_solution_more_than_a_leap(subject):
    for each in (subject, turned(subject)):
        watched = watching(each)
        assert composition(watched).value >= 1 and leap(watched).value < -9


def test_what_one_layer_gives_alone_is_all_of_a_fresh_solution_and_not_of_an_iteration():
    once, path, descent = (
        watching(net) for net in (RidgeAtOnce().compiled(4, 5), RidgePath().compiled(4, 5), descending())
    )
    assert max(beyond(once).value, beyond(path).value) < 1e-9
    assert beyond(descent).value > 0.01


def test_a_step_of_descent_alone_has_degree_one():
    assert descent_read().readings["composition"].course == (1.0,) * (DEPTH + 1)


def test_an_objective_rewritten_late_moves_the_answer_less():
    course = descent_read().readings["late objective"].course
    assert list(course) == sorted(course, reverse=True) and course[0] > 0.7 > 0.2 < course[-1]
    assert retarget(watching(RidgeAtOnce().compiled(4, DEPTH))).course == pytest.approx((0.0,) * (DEPTH - 1), abs=1e-9)


def test_descent_solves_strong_directions_first_and_a_finished_answer_none_before_another():
    assert descent_read().values()["curvature order"] > 0.1
    assert curvature(watching(RidgeAtOnce().compiled(4, DEPTH))).value == pytest.approx(0, abs=1e-9)


def test_gradient_steps_are_counted_in_units_of_the_ruler():
    watched = Watched.of(GradientDescent(RATE).compiled(4, 8), TASK, 7009, fit=48, held=48)
    for layer, found in enumerate(steps(watched).course, 1):
        assert abs(found - layer) <= 1 and found in GRID


def test_another_rate_in_one_layer_moves_retention_of_what_is_written_before_it_only():
    plain, changed = descending(), with_layer(descending(), 3, out=1.05 * descending().layers[2].parts[0].out)
    before, after = watching(plain).retention.by_layer(), watching(changed).retention.by_layer()
    assert (after - before)[:2].abs().min() > 1e-4
    torch.testing.assert_close(after[2:], before[2:], atol=1e-7, rtol=0)
    assert spectral(watching(changed)).value == pytest.approx(1, abs=1e-9)


def test_another_score_in_one_layer_breaks_form_and_symmetry_from_there_on():
    key = descending().layers[3].parts[0].key.clone()
    key[0, 0] *= 1.05
    watched = watching(with_layer(descending(), 4, key=key))  # the third of five would leave the same from both ends
    courses = spectral(watched).course, symmetry(watched).course[1:]
    for course in courses:
        broken = 1 - torch.tensor(course, dtype=torch.float64)
        assert broken[:3].max() < 1e-9 < 1e-7 < broken[3:].min()


def test_degree_does_not_grow_where_nothing_is_iterated():
    assert degree(watching(RidgeAtOnce().compiled(4, DEPTH))).value == 0
    idle = replace(descending(), layers=(lambda state: state,) * DEPTH)
    assert degree(watching(idle)).value == 0
