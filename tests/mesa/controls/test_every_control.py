"""What holds for every control, whatever it computes: bases, spare coordinates, order, precision."""

from itertools import pairwise

import pytest
import torch

from cutaway.mesa.controls import CONTROLS, Copying, RandomNetwork, restless
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.reference import Stack
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=4, points=10, queries=6)
PROMPTS = TASK.draw(3, 7004)
RULED = [name for name in CONTROLS if name != "random network"]


@pytest.mark.parametrize("name", RULED)
def test_in_another_basis_and_with_other_things_going_on_a_control_answers_the_same(name):
    stack = CONTROLS[name]().compiled(4, 5)
    assert isinstance(stack, Stack)
    expected = answers(stack, PROMPTS)
    busy = restless(stack, 5, seed=3)
    for other in (stack.rotated(1), stack.rotated(2, 40), busy, busy.rotated(4, 30)):
        torch.testing.assert_close(answers(other, PROMPTS), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in CONTROLS if name != "growing ridge"])
def test_the_order_of_the_points_does_not_matter(name):
    subject = CONTROLS[name]().compiled(4, 4)
    torch.testing.assert_close(answers(subject, PROMPTS), answers(subject, PROMPTS.reordered(1)))


@pytest.mark.parametrize("name", CONTROLS)
def test_a_query_does_not_see_other_queries(name):
    subject = CONTROLS[name]().compiled(4, 4)
    alone = answers(subject, PROMPTS.asking(PROMPTS.queries[:, 2:3]))
    torch.testing.assert_close(answers(subject, PROMPTS)[:, 2:3], alone)


@pytest.mark.parametrize("name", CONTROLS)
def test_precision_follows_the_request(name):
    half = CONTROLS[name]().compiled(4, 3, torch.float32)
    found = answers(half, PROMPTS)
    assert found.dtype == torch.float32
    full = answers(CONTROLS[name]().compiled(4, 3), PROMPTS)
    torch.testing.assert_close(found.double(), full, rtol=1e-3, atol=1e-3)


def test_a_last_label_is_another_one_in_another_order():
    subject = Copying("last").compiled(4, 2)
    assert not torch.equal(answers(subject, PROMPTS), answers(subject, PROMPTS.reordered(1)))


def test_spare_coordinates_change_at_every_layer_of_idle_networks_and_of_compiled_ones():
    for stack in (Copying().compiled(4, 4), GradientDescent().compiled(4, 4)):
        busy = restless(stack, 5, seed=3)
        seen = [state.stream[..., busy.space.at("spare")] for state in states(busy, PROMPTS)]
        assert all(float((after - before).abs().mean()) > 0.05 for before, after in pairwise(seen))
        torch.testing.assert_close(answers(busy, PROMPTS), answers(stack, PROMPTS))


def test_a_turned_network_is_not_given_spare_coordinates():
    with pytest.raises(ValueError, match="turned already"):
        restless(Copying().compiled(4, 2).rotated(1), 3, seed=0)


def test_what_lies_outside_of_the_named_coordinates_stays():
    stack = CONTROLS["ridge path"]().compiled(4, 3).rotated(1, 20)
    state = stack.start(PROMPTS)
    outside = torch.eye(20, dtype=torch.float64) - stack.basis.T @ stack.basis
    moved = state.having(state.stream + outside[0])
    ended = stack.run(moved, 0, 3).stream - stack.run(state, 0, 3).stream
    torch.testing.assert_close(ended, outside[0].expand_as(ended))


def test_amplified_networks_write_so_many_times_as_strongly():
    plain, loud = (RandomNetwork(gain=gain, seed=2).compiled(4, 3) for gain in (1.0, 3.0))
    torch.testing.assert_close(loud.blocks[0].attn.out.weight, 3 * plain.blocks[0].attn.out.weight)
    torch.testing.assert_close(loud.blocks[0].mlp[1].down.weight, 3 * plain.blocks[0].mlp[1].down.weight)
    torch.testing.assert_close(loud.blocks[0].attn.value.weight, plain.blocks[0].attn.value.weight)
    start = plain.start(PROMPTS)
    moves = [float((network.run(start, 0, 1).stream - start.stream).norm()) for network in (plain, loud)]
    assert moves[1] > 2 * moves[0] > 0
