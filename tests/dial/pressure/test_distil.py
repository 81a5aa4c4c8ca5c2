"""Distillation: the divergence from the teacher, and that a student learns what only the teacher knows."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, SHAPE, TOKENS, network

from cutaway.dial.pressure import Distil, Step
from cutaway.dial.train import train
from cutaway.training.loop import held_out_loss

STEP = Step(0, 1, 1.0)
BATCH = TOKENS[None, :9]


@torch.no_grad()
def test_the_teacher_itself_has_no_loss_and_another_network_the_divergence_times_weight():
    teacher, other = network(7000).eval(), network(7001)
    given = teacher(BATCH[:, :-1])
    assert float(Distil(teacher).loss(teacher, given, BATCH, STEP)) == pytest.approx(0, abs=1e-6)
    logits = other(BATCH[:, :-1])
    for temperature in (1.0, 3.0):
        p, q = ((x / temperature).softmax(-1) for x in (given, logits))
        expected = 0.5 * temperature**2 * (p * (p / q).log()).sum(-1).mean()
        found = Distil(teacher, 0.5, temperature).loss(other, logits, BATCH, STEP)
        assert float(found) == pytest.approx(float(expected), rel=1e-4)
    assert found > 0


def test_the_teacher_is_not_trained():
    teacher = network().eval()
    before = {name: weight.clone() for name, weight in teacher.state_dict().items()}
    train(network(7001), TOKENS, RECIPE, (Distil(teacher),))
    assert all(torch.equal(before[name], weight) for name, weight in teacher.state_dict().items())
    assert all(weight.grad is None for weight in teacher.parameters())


def test_a_student_comes_to_agree_with_a_teacher_of_another_stream():
    other = (TOKENS * 3) % 11
    teacher = train(network(), other, replace(RECIPE, steps=40)).network
    recipe = replace(RECIPE, steps=40)
    alone, taught = (train(network(7001), TOKENS, recipe, p).network for p in ((), (Distil(teacher, 20.0),)))
    apart = [Distil(teacher).loss(net, net(BATCH[:, :-1]), BATCH, STEP).item() for net in (alone, taught)]
    assert apart[1] < 0.3 * apart[0]
    assert held_out_loss(taught, TOKENS, 8) > held_out_loss(alone, TOKENS, 8)


def test_a_teacher_that_cannot_teach_is_refused():
    with pytest.raises(ValueError, match=r"training mode.*teacher.eval\(\)"):
        Distil(network().train())
    teacher = network(shape=replace(SHAPE, vocab=12)).eval()
    with pytest.raises(ValueError, match="vocabulary has 12 ids, the network's 11"):
        train(network(), TOKENS, RECIPE, (Distil(teacher),))
    with pytest.raises(ValueError, match=r"Distil.temperature is 0"):
        Distil(network().eval(), temperature=0.0)
    with pytest.raises(ValueError, match=r"Distil.weight is nan"):
        Distil(network().eval(), weight=float("nan"))
