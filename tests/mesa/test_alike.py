"""Laws of the class of algorithms: it holds the true one wherever its settings lie, and leaves out what takes other steps."""

from __future__ import annotations

import pytest
import torch

from cutaway.mesa.alike import further
from cutaway.mesa.optimizers import Chebyshev, Evolution, NewtonSchulz, PreconditionedGradientDescent
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched

ROUND = Regression(dim=3, points=9, noise=0.1)
STRETCHED = Regression(dim=3, points=15, condition=8.0)


def families(optimizer, task, steps):
    turned = optimizer.compiled(task.dim, steps).rotated(7001, 32)
    with torch.no_grad():
        return Watched.of(turned, task, 7001, 32, 32).alike.families


def test_the_class_holds_an_evolution_whatever_offsets_were_drawn():
    found = families(Evolution(128, decay=0.85, temperature=0.6, seed=5), ROUND, 8)
    assert "evolution" in found
    assert "conjugate gradient" not in found


def test_preconditioned_steps_are_told_as_gradient_descent_and_as_nothing_else():
    variances = tuple(STRETCHED.spectrum().tolist())
    assert families(PreconditionedGradientDescent(0.3, variances), STRETCHED, 5) == ("gradient descent",)


def test_the_class_holds_chebyshev_s_iteration_on_an_interval_far_from_the_listed_ones():
    assert "chebyshev" in families(Chebyshev(0.9, 12.0), Regression(dim=3, points=8, condition=8.0), 9)


def test_the_class_of_newton_s_method_holds_no_first_order_method():
    assert not {"gradient descent", "momentum", "nesterov"} & set(families(NewtonSchulz(0.2), ROUND, 6))


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_where_a_search_begins_goes_with_the_scale_of_the_points(scale):
    prompts = ROUND.draw(16, 7001)
    scaled = type(prompts)(prompts.xs * scale, prompts.ys, prompts.queries * scale, prompts.answers)
    one, other = further(prompts)["chebyshev"][0], further(scaled)["chebyshev"][0]
    assert (other.low, other.high) == pytest.approx((one.low * scale**2, one.high * scale**2))
