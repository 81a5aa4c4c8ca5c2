"""Laws of end-to-end training: it lowers the loss, repeats, resumes, keeps copies, and is compared with ridge and lookup."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cutaway.mesa.reference.end_to_end import RECIPE, compared, dial, lookup, ridge, trained
from cutaway.mesa.reference.transformer import Shape, Transformer
from cutaway.mesa.subject import answers
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=2, points=6, queries=4, pool=4)
SHAPE = Shape(dim=2, width=8, heads=2, layers=2, hidden=8)
FEW = replace(RECIPE, steps=6, batch=8, seed=7001)


def test_training_on_one_task_learns_that_task_and_no_other():
    shape = replace(SHAPE, attention="linear", norm="none")
    task = replace(TASK, pool=1)
    network = trained(shape, task, replace(FEW, steps=120, batch=16, lr=2e-2)).fitted.network
    between = compared(network, task, 7002)
    assert between.known < 0.1 < between.novel


def test_copies_are_of_the_steps_asked_and_the_last_is_the_result():
    course, prompts = trained(SHAPE, TASK, FEW, at=(2, 6)), TASK.draw(3, 7002)
    (early, first), (late, last) = course.checkpoints
    assert (early, late) == (2, 6)
    assert torch.equal(answers(last, prompts), answers(course.fitted.network, prompts))
    assert not torch.equal(answers(first, prompts), answers(last, prompts))


def test_a_run_that_stopped_goes_on_to_the_same_network(tmp_path):
    class Stopped:
        """Raises after three steps."""

        done = 0

        def start(self, total, what): ...
        def note(self, text): ...
        def finish(self): ...

        def advance(self, n):
            self.done += n
            if self.done == 3:
                raise KeyboardInterrupt

    whole = trained(SHAPE, TASK, FEW).fitted
    with pytest.raises(KeyboardInterrupt):
        trained(SHAPE, TASK, FEW, folder=tmp_path, progress=Stopped(), every=2)
    resumed = trained(SHAPE, TASK, FEW, folder=tmp_path, every=2).fitted
    assert resumed.losses == whole.losses
    with pytest.raises(ValueError, match="another"):
        trained(SHAPE, replace(TASK, pool=5), FEW, folder=tmp_path)


def test_ridge_is_best_on_novel_tasks_and_the_lookup_on_known_ones():
    task = replace(TASK, noise=0.5)
    novel, known = task.draw(400, 7002), task.draw(400, 7003, novel=False)

    def error(given, prompts):
        return (given - prompts.answers).square().mean()

    assert error(ridge(novel, 0.5), novel) < error(lookup(novel, task.tasks(), 0.5), novel)
    assert error(lookup(known, task.tasks(), 0.5), known) < error(ridge(known, 0.5), known)


def test_a_lookup_of_a_pool_of_one_answers_with_that_task():
    task = replace(TASK, pool=1)
    prompts = task.draw(5, 7002)
    assert torch.allclose(lookup(prompts, task.tasks(), 0.1), prompts.queries @ task.tasks()[0])


def test_the_dial_changes_the_pool_alone():
    assert dial(TASK, (1, None)) == (replace(TASK, pool=1), replace(TASK, pool=None))
    assert compared(Transformer(SHAPE), replace(TASK, pool=None), 7002, 8).lookup is None


def test_runs_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ValueError, match="2 dimensions, the network 3"):
        trained(replace(SHAPE, dim=3), TASK, FEW)
    with pytest.raises(ValueError, match="expected 1 to 6"):
        trained(SHAPE, TASK, FEW, at=(7,))
    with pytest.raises(ValueError, match="not both"):
        trained(SHAPE, TASK, FEW, at=(1,), folder=tmp_path)
    with pytest.raises(ValueError, match="noise"):
        lookup(TASK.draw(2, 7002), TASK.tasks(), 0.0)
