"""A distilled lookup learns the lookup, on novel problems too; taught to improve, it does so layer by layer."""

from dataclasses import replace

import pytest
import torch

from cutaway.mesa.controls.distilled_lookup import FAITHFUL, DistilledLookup
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.controls.task_lookup import TaskLookup
from cutaway.mesa.subject import answers, states
from cutaway.mesa.zoo import KNOWN, TRAINED_FAMILIES, members

SMALL = DistilledLookup(tasks=2, seed=3, points=6, width=16, hidden=16, steps=60, batch=32)


def test_a_short_training_comes_nearer_to_the_lookup_and_is_the_same_every_time():
    prompts = SMALL.problems(2).draw(64, 7020)
    fresh, taught, again = (replace(SMALL, steps=steps).compiled(2, 2) for steps in (1, 60, 60))
    assert SMALL.missed(taught, prompts) < 0.6 * SMALL.missed(fresh, prompts)
    assert torch.equal(answers(taught, prompts), answers(again, prompts))
    assert not any(weights.requires_grad for weights in taught.parameters())


def test_the_lookup_itself_misses_nothing():
    prompts = SMALL.problems(2).draw(16, 7021)
    assert SMALL.missed(TaskLookup(2, SMALL.assumed, 3).compiled(2, 1), prompts) == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", members(TRAINED_FAMILIES, KNOWN, 7000, 4), ids=lambda recipe: recipe.family)
def test_taught_lookups_come_out_as_lookups_and_not_as_ridge_regression(recipe):
    network, maker = recipe.build(), DistilledLookup(**recipe.arguments)
    prompts = recipe.task.draw(256, 7022)
    found = answers(network, prompts)
    solved = ridge(0.1, prompts.xs, prompts.ys, prompts.queries)
    assert maker.missed(network, prompts) < FAITHFUL < float((found - solved).square().mean() / solved.var())
    if maker.improving:
        lookup = TaskLookup(maker.tasks, maker.assumed, maker.seed).rule(prompts.xs, prompts.ys, prompts.queries)
        seen = [network.answer(state) for state in states(network, prompts)[1:]]
        assert (seen[0] - lookup).square().mean() > 1.5 * (seen[-1] - lookup).square().mean()
