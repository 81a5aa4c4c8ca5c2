"""GD-equivalent steps: a compiled stack's are its own, Newton's double, and a trained softmax network's grow (slow)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutaway.mesa.optimizers import GradientDescent, NewtonSchulz
from cutaway.mesa.reference.end_to_end import RECIPE, trained
from cutaway.mesa.reference.transformer import Shape
from cutaway.mesa.replications.fu import Matched, matched
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched

TASK = Regression(queries=4, noise=0.0)


def steps_of(optimizer) -> tuple[int, ...]:
    watched = Watched.of(optimizer.compiled(4, 5), TASK, 7001, 64, 32)
    return matched(watched, 0.2, 64).steps


def test_each_layer_of_compiled_newton_is_worth_twice_the_one_before():
    assert steps_of(NewtonSchulz(0.2)) == (0, 1, 2, 4, 8, 16)


def test_each_layer_of_compiled_gradient_descent_is_worth_one_step_more():
    assert steps_of(GradientDescent(0.2)) == (0, 1, 2, 3, 4, 5)


def test_growth_is_the_mean_factor_up_to_the_most_steps():
    assert Matched((0, 1, 3, 9, 8), (1.0,) * 5).growth == pytest.approx(3.0)
    assert Matched((0, 0), (1.0, 1.0)).growth == 1.0


def test_a_rate_at_which_gradient_descent_diverges_is_refused():
    watched = Watched.of(GradientDescent(0.2).compiled(4, 2), TASK, 7001, 16, 8)
    with pytest.raises(ValueError, match="expected a smaller rate"):
        matched(watched, 5.0)


@pytest.mark.slow
def test_the_layers_of_a_trained_softmax_network_are_worth_ever_more_steps():
    task = Regression()
    network = trained(Shape(dim=4), task, replace(RECIPE, steps=4000, seed=7001)).fitted.network
    found = matched(Watched.of(network, task, 7001))
    assert max(found.steps) >= 30
    assert found.growth >= 1.8
