"""One step of gradient descent as one layer of linear attention; the trained layer (slow) is that step."""

from __future__ import annotations

import pytest
import torch

from cutaway.mesa.replications.von_oswald import (
    RECIPE,
    OneLayer,
    Problems,
    attended,
    best_rate,
    compared,
    learned,
    step,
)


def test_the_constructed_layer_is_a_step_of_gradient_descent():
    problems = Problems.drawn(50, 7001)
    xs, ys, query = problems.tokens[:, :-1, :-1], problems.tokens[:, :-1, -1], problems.tokens[:, -1, :-1]
    weights = 0.7 * torch.einsum("pnd,pn->pd", xs, ys) / 10
    assert torch.allclose(attended(problems.tokens, *step(0.7)), (weights * query).sum(1), atol=1e-6)


def test_no_other_length_of_a_step_answers_better():
    problems = Problems.drawn(500, 7001)
    rate = best_rate(problems)
    losses = [(attended(problems.tokens, *step(r * rate)) - problems.answers).square().mean() for r in (0.9, 1.0, 1.1)]
    assert losses[1] < min(losses[0], losses[2])


def test_the_step_itself_compares_as_equal_and_a_random_layer_does_not():
    class Constructed(OneLayer):
        def weights(self):
            return step(best_rate(Problems.drawn(500, 7002)))

    equal, random = compared(Constructed(), 7002, 500), compared(OneLayer(seed=7), 7002, 500)
    assert equal.cosine > 0.999999
    assert equal.difference < 1e-5
    assert equal.mixture == pytest.approx(equal.step_loss, rel=1e-4)
    assert abs(random.cosine) < 0.9 < random.loss / equal.step_loss


def test_a_layer_that_never_gets_there_is_an_error():
    from dataclasses import replace

    with pytest.raises(ArithmeticError, match="2 starts from seed 7001 all stalled"):
        learned(7001, replace(RECIPE, steps=1, batch=4), tries=2)


@pytest.mark.slow
def test_a_trained_layer_is_one_step_of_gradient_descent():
    found = compared(learned(7001).network, 7002)
    assert found.cosine >= 0.9999
    assert found.difference <= 0.01
    assert found.mixture <= 1.01 * found.step_loss
