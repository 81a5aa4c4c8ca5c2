"""Laws of a readout that is fitted anew: the old one does not matter, and none is better on the problems it was fitted on."""

from dataclasses import replace

import torch

from cutaway.mesa.language.pretraining import Refitted
from cutaway.mesa.language.pretraining.refitted import COUNT, SEED
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

TASK = Regression(3, 8, queries=4)
STACK = GradientDescent(0.2).compiled(3, 3)


def test_the_old_readout_does_not_matter() -> None:
    prompts, wrong = TASK.draw(8, 7001), replace(STACK, read=torch.randn(4, dtype=torch.float64))
    torch.testing.assert_close(
        answers(Refitted.of(wrong, TASK), prompts), answers(Refitted.of(STACK, TASK), prompts), atol=1e-9, rtol=0
    )


def test_it_answers_no_worse_than_the_networks_own_readout_where_it_was_fitted() -> None:
    prompts = TASK.draw(COUNT, SEED + 5)
    errors = [
        float((answers(each, prompts) - prompts.answers).square().mean())
        for each in (Refitted.of(STACK, TASK, 5), STACK)
    ]
    assert errors[0] < errors[1]


def test_the_states_are_the_networks_own() -> None:
    prompts = TASK.draw(4, 7001)
    for one, other in zip(states(Refitted.of(STACK, TASK), prompts), states(STACK, prompts), strict=True):
        assert torch.equal(one.stream, other.stream)
