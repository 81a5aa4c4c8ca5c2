"""Laws of a network with a solving layer: nothing else sees the context, and opening the layer's steps changes no answer."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from cutaway.mesa.language.mesa_net import MesaNet, MesaNetwork, Unrolled
from cutaway.mesa.reference.transformer import Shape
from cutaway.mesa.screen import screen
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

SMALL = MesaNet(4, Regression(3, 8, queries=4), Shape(3, width=12, heads=2, hidden=8), steps=3, batch=4)


@pytest.mark.parametrize("solves", [0, 1, 4])
def test_opened_between_its_steps_it_answers_the_same_from_any_layer_on(solves: int) -> None:
    network = replace(SMALL, solves=solves).trained().network
    prompts, opened = SMALL.task.draw(5, 7001), Unrolled(network)
    seen = states(opened, prompts)
    assert opened.depth == max(1, solves) + 2
    for layer in range(opened.depth + 1):
        found = opened.answer(opened.run(seen[layer], layer, opened.depth))
        torch.testing.assert_close(found, answers(network, prompts))


def test_each_step_changes_what_would_be_written_and_not_the_stream() -> None:
    opened = Unrolled(SMALL.trained().network)
    seen, width = states(opened, SMALL.task.draw(5, 7001)), SMALL.shape.width
    for one, two in pairwise(seen[:5]):
        torch.testing.assert_close(one.stream[..., :width], two.stream[..., :width])
        assert not torch.allclose(one.stream[..., -width:], two.stream[..., -width:])


def test_nothing_but_the_solving_layer_sees_the_context() -> None:
    network, prompts = MesaNetwork(SMALL.shape, 4, 7001).requires_grad_(False), SMALL.task.draw(5, 7001)
    assert not torch.allclose(answers(network, prompts), answers(network, prompts.shuffled(1)))
    network.mesa.out.weight.zero_()
    assert torch.equal(answers(network, prompts), answers(network, prompts.shuffled(1)))


@pytest.mark.slow
def test_steps_of_conjugate_gradients_are_found_where_they_are_layers_and_one_layer_is_not_called_an_optimizer() -> (
    None
):
    made = MesaNet(4, steps=1500)
    network = made.trained().network
    inside = screen(Unrolled(network), made.task, 7001).verdict
    assert inside.label == "iterative optimizer" and "conjugate gradient" in inside.alike
    assert screen(network, made.task, 7001).verdict.label != "iterative optimizer"
