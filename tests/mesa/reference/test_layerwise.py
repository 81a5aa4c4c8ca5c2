"""Laws of layer-wise training: the stack follows its teacher, is the same from the same seed, and shares blocks where told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cutaway.mesa.optimizers import GradientDescent, Momentum, NewtonSchulz
from cutaway.mesa.reference.layerwise import LINEAR, RECIPE, Pupil, taught, unexplained
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=3, points=8, queries=4)
FEW = replace(RECIPE, steps=3, batch=8, seed=7001)
SMALL = Pupil(problems=32, hidden=8, heads=2)
TEACHER = GradientDescent(0.3).compiled(3, 4, torch.float32)


def test_linear_attention_learns_gradient_descent_from_single_steps_alone():
    found = taught(TEACHER, TASK, replace(LINEAR, problems=256), replace(RECIPE, steps=500, batch=32, seed=7001))
    held = TASK.draw(64, 7002)
    left = unexplained(found.network, GradientDescent(0.3).path(held, 4), held)
    assert left.max() < 1e-3


def test_the_teacher_itself_leaves_nothing_unexplained_and_an_untrained_twin_much():
    held, path = TASK.draw(16, 7002), GradientDescent(0.3).path(TASK.draw(16, 7002), 4)
    assert unexplained(TEACHER, path, held).max() < 1e-9
    assert unexplained(taught(TEACHER, TASK, SMALL, FEW).network, path, held).min() > 0.1


def test_a_twin_keeps_the_contract_of_a_subject():
    twin, prompts = taught(TEACHER, TASK, SMALL, FEW).network, TASK.draw(4, 7002)
    seen = states(twin, prompts)
    assert len(seen) == twin.depth + 1 == 5
    assert torch.allclose(twin.run(seen[1], 1, 4).stream, seen[4].stream, atol=1e-5)
    alone = answers(twin, prompts.asking(prompts.queries[:, :1]))
    assert torch.allclose(alone[:, 0], answers(twin, prompts)[:, 0], atol=1e-5)
    assert torch.allclose(answers(twin, prompts.reordered(1)), answers(twin, prompts), atol=1e-5)
    with pytest.raises(ValueError, match="0 ≤ first ≤ last ≤ depth"):
        twin.run(seen[0], 0, 5)


def test_before_the_first_layer_a_twin_answers_what_its_teacher_does():
    twin, prompts = taught(TEACHER, TASK, SMALL, FEW).network, TASK.draw(4, 7002)
    read = twin.encoding.read(twin.start(prompts).stream)
    assert torch.allclose(read, TEACHER.start(prompts).stream, atol=1e-5)


def test_tied_steps_share_a_block_where_the_teachers_layers_are_the_same_and_only_there():
    newton = NewtonSchulz(0.3).compiled(3, 4, torch.float32)
    assert taught(TEACHER, TASK, SMALL, FEW).network.which == (0, 0, 0, 0)
    assert taught(newton, TASK, SMALL, FEW).network.which == (0, 1, 1, 1)
    (first, *_), (second, *_) = TEACHER.layers, GradientDescent(0.1).compiled(3, 2, torch.float32).layers
    mixed = replace(TEACHER, layers=(first, first, second, first, second))
    assert taught(mixed, TASK, SMALL, FEW).network.which == (0, 0, 1, 0, 1)
    untied = taught(TEACHER, TASK, replace(SMALL, tied=False), FEW)
    assert untied.network.which == (0, 1, 2, 3)
    assert len(untied.losses) == 4 * FEW.steps


def test_the_same_seed_teaches_the_same_twin():
    prompts = TASK.draw(2, 7002)
    teacher = Momentum(0.2, 0.5).compiled(3, 2, torch.float32)
    one, same, other = (taught(teacher, TASK, SMALL, replace(FEW, seed=seed)) for seed in (7001, 7001, 7003))
    assert one.losses == same.losses != other.losses
    assert torch.equal(answers(one.network, prompts), answers(same.network, prompts))


def test_teachers_and_pupils_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="float32"):
        taught(GradientDescent(0.3).compiled(3, 4), TASK)
    with pytest.raises(ValueError, match="carrier"):
        Pupil(carrier=0)
    with pytest.raises(ValueError, match="spare"):
        Pupil(spare=0)
    held = TASK.draw(2, 7002)
    with pytest.raises(ValueError, match="5 iterates, the subject 4 states"):
        shallow = GradientDescent(0.3).compiled(3, 3, torch.float32)
        unexplained(shallow, GradientDescent(0.3).path(held, 4), held)
