"""Every control that answers in one layer equals its closed form, as scikit-learn or a loop has it."""

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import laplacian_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsRegressor

from cutaway.mesa.controls import (
    Copying,
    FixedTask,
    KernelRidgeAtOnce,
    KernelSmoother,
    LinearRead,
    NearestNeighbour,
    RidgeAtOnce,
    TaskLookup,
)
from cutaway.mesa.controls.kernel import Kernel
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=3, points=9, queries=5)


def asked(control, task=TASK, depth=3):
    """What the control answers to four problems, and those."""
    prompts = task.draw(4, 7000)
    return answers(control.compiled(task.dim, depth), prompts).numpy(), prompts


def same(control, oracle, task=TASK):
    """Whether the control answers as a function of points, labels and queries says."""
    found, prompts = asked(control, task)
    rows = zip(prompts.xs.numpy(), prompts.ys.numpy(), prompts.queries.numpy(), strict=True)
    return np.testing.assert_allclose(found, [oracle(x, y, q) for x, y, q in rows], rtol=1e-9, atol=1e-11)


def gamma(bandwidth):
    """A bandwidth as scikit-learn has it."""
    return 1 / (2 * bandwidth**2)


@pytest.mark.parametrize("neighbours", [1, 2, 5])
def test_nearest_neighbours_are_those_of_scikit_learn(neighbours):
    same(
        NearestNeighbour(neighbours, layer=2),
        lambda x, y, q: KNeighborsRegressor(neighbours, algorithm="brute").fit(x, y).predict(q),
    )


def test_more_neighbours_than_points_are_all_of_them():
    same(NearestNeighbour(99), lambda x, y, q: [y.mean()] * len(q))


def test_a_smoother_weighs_labels_by_the_kernel():
    def smoothed(kernel, y):
        return kernel @ y / kernel.sum(1)

    same(KernelSmoother("gaussian", 0.8), lambda x, y, q: smoothed(rbf_kernel(q, x, gamma=gamma(0.8)), y))
    same(KernelSmoother("laplacian", 0.8, 3), lambda x, y, q: smoothed(laplacian_kernel(q, x, gamma=1 / 0.8), y))
    same(KernelSmoother("dot", 0.8), lambda x, y, q: smoothed(np.exp(q @ x.T / 0.8**2), y))


def test_a_linear_read_is_one_step_of_gradient_descent():
    found, prompts = asked(LinearRead(0.4, layer=2))
    torch.testing.assert_close(torch.from_numpy(found), GradientDescent(0.4).path(prompts, 1)[1])


def test_ridge_at_once_is_that_of_scikit_learn():
    same(
        RidgeAtOnce(0.3, layer=3),
        lambda x, y, q: Ridge(alpha=0.3, fit_intercept=False, solver="svd").fit(x, y).predict(q),
    )


@pytest.mark.parametrize(("shape", "name"), [("gaussian", "rbf"), ("laplacian", "laplacian")])
def test_kernel_ridge_is_that_of_scikit_learn(shape, name):
    width = gamma(1.5) if name == "rbf" else 1 / 1.5
    same(
        KernelRidgeAtOnce(shape, 1.5, 0.2),
        lambda x, y, q: KernelRidge(alpha=0.2, kernel=name, gamma=width).fit(x, y).predict(q),
    )


def test_a_lookup_answers_with_the_posterior_mean_of_its_tasks():
    known = Regression(dim=3, pool=5, pool_seed=2).tasks().numpy()

    def oracle(x, y, q):
        likelihoods = [np.prod(np.exp(-((y - x @ w) ** 2) / (2 * 0.5**2))) for w in known]
        return sum(share * q @ w for share, w in zip(likelihoods, known, strict=True)) / sum(likelihoods)

    same(TaskLookup(5, 0.5, seed=2, layer=2), oracle)


def test_a_lookup_solves_the_tasks_of_its_pool_and_no_others():
    task = Regression(dim=4, points=12, pool=8, pool_seed=3)
    subject = TaskLookup(8, 0.1, seed=3).compiled(4, 2)
    familiar, novel = task.draw(64, 7001, novel=False), task.draw(64, 7001)
    missed = [
        float((answers(subject, p) - p.answers).square().mean() / p.answers.square().mean()) for p in (familiar, novel)
    ]
    assert missed[0] < 0.01 < 0.3 < missed[1]


def test_a_copy_is_a_label_of_the_context():
    same(Copying("last"), lambda x, y, q: [y[-1]] * len(q))
    same(Copying("first", 2), lambda x, y, q: [y[0]] * len(q))
    same(Copying("mean"), lambda x, y, q: [y.mean()] * len(q))
    same(Copying("alike"), lambda x, y, q: [max(zip(x @ a, y, strict=True))[1] for a in q])


@pytest.mark.parametrize("neurons", [0, 7])
def test_a_fixed_task_answers_alike_whatever_the_context_and_not_alike_at_every_query(neurons):
    found, prompts = asked(FixedTask(neurons, seed=4))
    other = answers(FixedTask(neurons, seed=4).compiled(3, 3), prompts.shuffled(1).reordered(2)).numpy()
    np.testing.assert_array_equal(found, other)
    assert found.std() > 0.1


def test_a_one_shot_answers_in_its_layer_and_not_before():
    prompts = TASK.draw(2, 7002)
    stack = RidgeAtOnce(0.1, layer=2).compiled(3, 4)
    seen = [stack.answer(state) for state in states(stack, prompts)]
    assert not seen[1].any() and seen[2].all()
    assert all(torch.equal(seen[2], later) for later in seen[3:])


def test_what_cannot_be_built_is_said_with_what_was_expected():
    with pytest.raises(ValueError, match="layer 5 of 4; expected 1 to 4"):
        RidgeAtOnce(layer=5).compiled(3, 4)
    with pytest.raises(ValueError, match="expected one of gaussian"):
        Kernel("round", 1.0)  # ty: ignore[invalid-argument-type]
    with pytest.raises(ValueError, match="expected one of alike"):
        Copying("best")  # ty: ignore[invalid-argument-type]
