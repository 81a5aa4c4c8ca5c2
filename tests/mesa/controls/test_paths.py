"""Controls that answer anew in every layer: each layer's answer is its closed form, and what is written fades as it should."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel

from cutaway.mesa.controls import (
    AnnealedLookup,
    GrowingRank,
    GrowingRidge,
    KernelEnsemble,
    LeakyRidgePath,
    RidgePath,
    SharpeningSmoother,
    TaskLookup,
)
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

TASK = Regression(dim=3, points=8, queries=4)
PROMPTS = TASK.draw(3, 7003)
ROWS = list(zip(PROMPTS.xs.numpy(), PROMPTS.ys.numpy(), PROMPTS.queries.numpy(), strict=True))
DEPTH = 5
PENALTIES = 3 * np.geomspace(10.0, 0.01, DEPTH)


def by_layer(control):
    """What stands in the answer after each layer."""
    stack = control.compiled(3, DEPTH)
    return torch.stack([stack.answer(state) for state in states(stack, PROMPTS)[1:]]).numpy()


def solved(penalty, xs, ys, queries):
    """The answers of scikit-learn's ridge regression."""
    return Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(xs, ys).predict(queries)


def path():
    """The ridge path, by scikit-learn."""
    return np.array([[solved(penalty, *row) for row in ROWS] for penalty in PENALTIES])


def close(found, expected):
    """Equal but for rounding."""
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("carried", [False, True])
def test_every_layer_of_a_ridge_path_solves_with_its_own_penalty(carried):
    close(by_layer(RidgePath(10.0, 0.01, carried)), path())


def test_a_leak_blends_every_solution_with_what_was_answered():
    answer, blended = np.zeros_like(path()[0]), []
    for fresh in path():
        answer = 0.3 * answer + 0.7 * fresh
        blended.append(answer)
    close(by_layer(LeakyRidgePath(10.0, 0.01, keep=0.3)), blended)


def test_a_leak_around_the_path_leaves_the_path_as_it_is():
    close(by_layer(LeakyRidgePath(10.0, 0.01, keep=0.3, following=True)), path())


@pytest.mark.parametrize(
    ("control", "kept"),
    [
        (RidgePath(), 0.0),
        (RidgePath(carried=True), 1.0),
        (LeakyRidgePath(keep=0.6), 0.6**3),
        (LeakyRidgePath(keep=0.6, following=True), 0.6**3),
        (SharpeningSmoother(), 0.0),
        (KernelEnsemble(), 1.0),
    ],
)
def test_of_what_is_written_into_the_answer_a_fixed_share_is_kept(control, kept):
    stack = control.compiled(3, DEPTH)
    state = stack.run(stack.start(PROMPTS), 0, 2)
    moved = state.having(state.stream + stack.read)
    change = stack.answer(stack.run(moved, 2, DEPTH)) - stack.answer(stack.run(state, 2, DEPTH))
    close(change, kept)


def test_a_growing_ridge_solves_from_the_first_points_only():
    close(by_layer(GrowingRidge(0.2)), [[solved(0.2, x[:k], y[:k], q) for x, y, q in ROWS] for k in (2, 4, 5, 7, 8)])


def test_a_growing_rank_solves_along_the_strongest_directions():
    def along(rank, x, y, q):
        strong = np.linalg.svd(x)[2][:rank].T
        return solved(0.2, x @ strong, y, q @ strong)

    close(by_layer(GrowingRank(0.2)), [[along(rank, *row) for row in ROWS] for rank in (1, 2, 2, 3, 3)])


def smoothed(bandwidth):
    """The answers of a Gaussian smoother."""
    kernels = [rbf_kernel(q, x, gamma=1 / (2 * bandwidth**2)) for x, _, q in ROWS]
    return np.array([kernel @ y / kernel.sum(1) for kernel, (_, y, _) in zip(kernels, ROWS, strict=True)])


def test_smoothers_sharpen_from_layer_to_layer_or_are_averaged():
    each = np.array([smoothed(bandwidth) for bandwidth in np.geomspace(3.0, 0.5, DEPTH)])
    close(by_layer(SharpeningSmoother("gaussian", 3.0, 0.5)), each)
    close(by_layer(KernelEnsemble("gaussian", 3.0, 0.5)), each.cumsum(0) / DEPTH)


def test_an_annealed_lookup_ends_as_the_lookup_and_begins_with_a_blunter_one():
    found = by_layer(AnnealedLookup(6, 0.2, seed=1, first=0.01))
    close(found[-1], answers(TaskLookup(6, 0.2, seed=1).compiled(3, 1), PROMPTS))
    close(found[0], answers(TaskLookup(6, 2.0, seed=1).compiled(3, 1), PROMPTS))


def test_new_labels_at_half_depth_are_all_that_a_path_goes_by_from_there():
    stack = RidgePath().compiled(3, DEPTH)
    other = replace(PROMPTS, ys=-PROMPTS.ys)
    state = stack.run(stack.start(PROMPTS), 0, 2)
    stream = state.stream.clone()
    stream[:, state.tokens.point, stack.space.at("y")] *= -1
    close(stack.answer(stack.run(state.having(stream), 2, DEPTH)), answers(stack, other))


def test_a_path_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        LeakyRidgePath(keep=1.0)
    with pytest.raises(ValueError, match="expected positive numbers"):
        RidgePath(last=0.0).compiled(3, DEPTH)
