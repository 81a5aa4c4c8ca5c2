"""Controls that were written after limits were chosen: what each layer answers, by other means."""

import numpy as np
import torch
from sklearn.linear_model import Ridge
from tests.mesa.controls.test_paths import PROMPTS, ROWS, by_layer, close, solved

from cutaway.mesa.controls import BaggedRidge, PowerFilter, ReplayedDescent, WideningProjection
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.subject import states
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
