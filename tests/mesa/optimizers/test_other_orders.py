"""Sparse, evolutionary, logistic, kernel and planning algorithms against scikit-learn, networkx and closed forms."""

from dataclasses import replace

import networkx
import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from tests.mesa.optimizers.drawn import apart, regression

from cutaway.mesa.optimizers import (
    ISTA,
    Boosting,
    BreadthFirst,
    Evolution,
    GradientDescent,
    KernelGradientDescent,
    LogisticGradientDescent,
    ValueIteration,
)
from cutaway.mesa.tasks import Logistic, Planning, Regression, ShortestPaths, Smooth


def test_ista_reaches_the_lasso_of_scikit_learn() -> None:
    prompts = regression(5, 20, 10.0, 7000, count=1)
    lasso = Lasso(alpha=0.2, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(prompts.xs[0], prompts.ys[0])
    assert 0 < np.count_nonzero(lasso.coef_) < 5
    expected = torch.tensor(prompts.queries[0].numpy() @ lasso.coef_)
    assert apart(ISTA(0.3, 0.2).path(prompts, 400)[-1, 0], expected) < 1e-6


def test_ista_sets_coordinates_to_0_in_the_network_too() -> None:
    prompts = regression(5, 20, 10.0, 7000, count=1)
    network = ISTA(0.3, 0.2).compiled(5, 30)
    held = network.run(network.start(prompts), 0, 30).stream[0, -1, network.space.at("w")]
    assert 0 < int(held.eq(0).sum()) < 5


def test_evolution_comes_near_what_least_squares_finds() -> None:
    prompts = regression(2, 8, 1.0, 7001)
    aim = GradientDescent(0.5).path(prompts, 100)[-1]
    path = Evolution(256, 1.0, 0.7, 0.2).path(prompts, 12)
    assert apart(path[-1], aim) < 0.05 < 0.2 < apart(path[1], aim)


def test_the_parent_competes_and_offsets_are_mirrored() -> None:
    offsets = Evolution(candidates=7).offsets(3)
    assert offsets.shape == (7, 3) and offsets[0].eq(0).all() and offsets.sum(0).abs().max() < 1e-12
    assert not Evolution(candidates=7, seed=1).offsets(3).equal(offsets)


def test_from_a_steady_temperature_on_labels_that_differ_a_little_never_part() -> None:
    prompts = regression(8, 15, 100.0, 7009)
    top = Regression(dim=8, condition=100.0).spectrum()[0].item()
    sharp = Evolution(candidates=8, size=0.5, decay=0.97, temperature=0.02, seed=7009)
    steady = replace(sharp, temperature=sharp.steady(8, top))
    nearly = prompts.relabelled(prompts.ys + 1e-9)
    grown = [apart(own.path(nearly, 32), own.path(prompts, 32)) for own in (sharp, steady)]
    assert grown[1] < 1e-8 < 1e-6 < grown[0]


def test_logistic_descent_reaches_the_maximum_likelihood_of_scikit_learn() -> None:
    prompts = Logistic(dim=2, points=60, queries=6, sharpness=1.5).draw(1, 7000)
    best = LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10).fit(prompts.xs[0], prompts.ys[0])
    expected = torch.tensor(2 * best.predict_proba(prompts.queries[0].numpy())[:, 1] - 1)
    assert apart(LogisticGradientDescent(2.0).path(prompts, 600)[-1, 0], expected) < 1e-4


def test_kernel_descent_filters_the_gaussian_gram_matrix_of_scikit_learn() -> None:
    prompts, width, rate, steps = Smooth().draw(1, 7000), 1.3, 0.8, 9
    own = rbf_kernel(prompts.xs[0], gamma=1 / (2 * width**2))
    asked = rbf_kernel(prompts.queries[0], prompts.xs[0], gamma=1 / (2 * width**2))
    values, vectors = np.linalg.eigh(own / len(own))
    filtered = vectors * -np.expm1(steps * np.log1p(-rate * values.clip(1e-12))) / values.clip(1e-12) @ vectors.T
    expected = torch.tensor(asked @ filtered @ prompts.ys[0].numpy() / len(own))
    assert apart(KernelGradientDescent(rate, width).path(prompts, steps)[-1, 0], expected) < 1e-6


def test_one_step_of_boosting_is_a_smoother_and_the_next_smooths_what_is_left() -> None:
    prompts = Smooth().draw(2, 7001)
    own = torch.softmax(prompts.xs @ prompts.xs.mT, 2)
    asked = torch.softmax(prompts.queries @ prompts.xs.mT, 2)
    once = torch.einsum("pqn,pn->pq", asked, prompts.ys)
    left = prompts.ys - torch.einsum("pmn,pn->pm", own, prompts.ys)
    path = Boosting(1.0, 1.0).path(prompts, 2)
    assert apart(path[1], once) < 1e-12 and apart(path[2], once + torch.einsum("pqn,pn->pq", asked, left)) < 1e-12


@pytest.mark.parametrize("actions", [1, 3])
def test_values_are_those_of_the_best_policy_and_each_sweep_brings_them_nearer(actions: int) -> None:
    prompts = Planning(states=6, actions=actions, queries=6, discount=0.7).draw(3, 7000)
    path = ValueIteration(actions, 0.7).path(prompts, 80)
    gaps = (path - prompts.answers).abs().amax((1, 2))
    assert gaps[-1] < 1e-10 and (gaps[1:30] <= 0.7 * gaps[:29] + 1e-12).all()


def test_rings_are_the_shortest_paths_of_networkx() -> None:
    prompts = ShortestPaths(states=9, shortcuts=1, queries=5).draw(4, 7000)
    path = BreadthFirst().path(prompts, 9)
    for k in range(prompts.count):
        names, near = prompts.xs[k].chunk(2, 1)
        graph = networkx.from_numpy_array((names.T @ near).numpy())
        far = networkx.shortest_path_length(graph, target=int(prompts.ys[k].argmax()))
        moves = [far[int(query[:9].argmax())] for query in prompts.queries[k]]
        assert path[-1, k].tolist() == moves and path[2, k].tolist() == [min(2, move) for move in moves]
