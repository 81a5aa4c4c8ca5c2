"""Controls that were written after limits were chosen: what each layer answers, by other means."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from tests.mesa.controls.test_paths import PROMPTS, ROWS, by_layer, close, solved

from cutaway.mesa.controls import (
    BaggedRidge,
    ClippedRidgePath,
    CountedRidgePath,
    KernelRidgeAtOnce,
    KernelRidgePath,
    MedianOfRidges,
    NestedSmoother,
    PowerFilter,
    ReplayedDescent,
    RidgePath,
    StagedRidge,
    WideningProjection,
    relayed,
)
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression

DEPTH = 5


def test_replayed_descent_answers_as_the_optimizer_does_and_needs_one_layer_for_it():
    found = by_layer(ReplayedDescent(0.3))
    close(found, GradientDescent(0.3).path(PROMPTS, DEPTH)[1:].numpy())
    stack = ReplayedDescent(0.3).compiled(3, DEPTH)
    start = states(stack, PROMPTS)[0]
    close(stack.answer(stack.run(start, DEPTH - 1, DEPTH)).numpy(), found[-1])


def test_a_projection_of_full_width_is_ridge_regression_and_narrower_ones_are_not():
    found = by_layer(WideningProjection(0.2))
    whole = np.array([solved(0.2, *row) for row in ROWS])
    close(found[-1], whole)
    assert np.abs(found[0] - whole).max() > 0.05


def test_an_ensemble_of_halves_is_their_mean():
    found = by_layer(BaggedRidge(0.3, seed=2))
    drawn = torch.randn(DEPTH, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64).numpy()
    members = []
    for way in drawn:
        rows = []
        for xs, ys, queries in ROWS:
            along = xs @ way
            half = along >= np.sort(along)[(len(along) - 1) // 2]
            rows.append(Ridge(alpha=0.3, fit_intercept=False, solver="svd").fit(xs[half], ys[half]).predict(queries))
        members.append(rows)
    close(found, np.cumsum(np.array(members), 0) / DEPTH)


def test_a_power_filter_sums_powers_and_moves_away_from_the_solution():
    found = by_layer(PowerFilter(0.5))
    expected = []
    for xs, ys, queries in ROWS:
        second, moment = xs.T @ xs / len(xs), xs.T @ ys / len(xs)
        terms = [0.5 ** (k + 1) * queries @ np.linalg.matrix_power(second, k) @ moment for k in range(DEPTH)]
        expected.append(np.cumsum(terms, 0))
    close(found, np.array(expected).swapaxes(0, 1))
    prompts = Regression(4, 40, queries=8, noise=0.0).draw(64, 7001)
    stack = PowerFilter(1.0).compiled(4, 6)
    errors = [float((stack.answer(state) - prompts.answers).square().mean()) for state in states(stack, prompts)[1:]]
    assert errors == sorted(errors)


def test_a_staged_ridge_is_ridge_regression_from_its_second_stage_on_and_not_before():
    found, whole = by_layer(StagedRidge(0.2, second=3)), np.array([solved(0.2, *row) for row in ROWS])
    moment = np.array([queries @ (xs.T @ ys) / len(xs) for xs, ys, queries in ROWS])
    close(found[:2], np.array([moment, moment]))
    close(found[2:], np.array([whole] * 3))
    with pytest.raises(ValueError, match="expected 2 to 5"):
        StagedRidge(second=6).compiled(3, DEPTH)


def test_a_nested_smoother_smooths_what_it_smoothed():
    found = by_layer(NestedSmoother("gaussian", 0.8, second=2))
    for row, (xs, ys, queries) in enumerate(ROWS):

        def shares(at, xs=xs):
            near = rbf_kernel(at, xs, gamma=1 / (2 * 0.8**2))
            return near / near.sum(1, keepdims=True)

        close(found[0, row], shares(queries) @ ys)
        close(found[-1, row], shares(queries) @ shares(xs) @ ys)


def test_a_median_of_ridges_is_the_middle_of_the_last_three_solutions():
    found = by_layer(MedianOfRidges(10.0, 0.01))
    path = np.array([[solved(penalty, *row) for row in ROWS] for penalty in 3 * np.geomspace(10.0, 0.01, DEPTH)])
    close(found[2:], np.median([path[2:], path[1:-1], path[:-2]], axis=0))


def test_a_counted_ridge_path_is_one_and_begins_anew_from_a_blank_state():
    close(by_layer(CountedRidgePath(10.0, 0.01)), by_layer(RidgePath(10.0, 0.01)))
    stack = CountedRidgePath(10.0, 0.01).compiled(3, DEPTH)
    blank = stack.start(PROMPTS)
    close(stack.answer(stack.run(blank, DEPTH - 1, DEPTH)).numpy(), stack.answer(stack.run(blank, 0, 1)).numpy())


def test_a_network_that_is_handed_its_labels_answers_as_before_and_no_layer_of_it_alone():
    plain = RidgePath(10.0, 0.01).compiled(3, DEPTH)
    handed = relayed(plain)
    assert handed.depth == DEPTH + 1
    close(answers(handed, PROMPTS).numpy(), answers(plain, PROMPTS).numpy())
    blank = handed.start(PROMPTS)
    for layer in range(DEPTH + 1):
        assert not handed.answer(handed.run(blank, layer, layer + 1)).any()
    with pytest.raises(ValueError, match="turned already"):
        relayed(plain.rotated(1))


def test_a_clipped_path_is_the_ridge_path_within_the_labels():
    far = PROMPTS.asking(4 * PROMPTS.queries)
    plain, cut = (answers(kind(10.0, 0.01).compiled(3, DEPTH), far).numpy() for kind in (RidgePath, ClippedRidgePath))
    low, high = (np.array([edge(ys) for _, ys, _ in ROWS])[:, None] for edge in (np.min, np.max))
    close(cut, np.clip(plain, low, high))
    assert np.abs(cut - plain).max() > 0.1


def test_a_kernel_path_ends_in_the_solution_of_its_last_penalty():
    found = by_layer(KernelRidgePath("gaussian", 1.5, 10.0, 0.02))
    close(found[-1], by_layer(KernelRidgeAtOnce("gaussian", 1.5, 0.02))[-1])
    assert np.abs(found[0] - found[-1]).max() > 0.05
