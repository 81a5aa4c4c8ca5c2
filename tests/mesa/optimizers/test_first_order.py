"""First-order methods and Newton–Schulz against what others know of them: closed forms, least squares, scipy and each other."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import cg
from tests.mesa.optimizers.drawn import apart, regression
from torch import Tensor

from cutaway.mesa.optimizers import (
    Chebyshev,
    ConjugateGradient,
    CurvatureCorrected,
    GradientDescent,
    Momentum,
    Nesterov,
    NewtonSchulz,
    Optimizer,
    PreconditionedGradientDescent,
)
from cutaway.mesa.prompts import Prompts

SOLVERS = {
    "gradient descent": (GradientDescent(0.4), 200),
    "momentum": (Momentum(0.4, 0.5), 120),
    "nesterov": (Nesterov(0.3, 0.5), 120),
    "chebyshev": (Chebyshev(0.3, 3.5), 80),
    "preconditioned": (PreconditionedGradientDescent(0.2, (0.5, 1.0, 2.0)), 400),
    "newton-schulz": (NewtonSchulz(0.4), 10),
    "conjugate gradient": (ConjugateGradient(), 3),
}


@pytest.fixture
def prompts() -> Prompts:
    """Three dimensions, eigenvalues between .3 and 2.5 or so."""
    return regression(3, 12, 10.0, 7000)


def _least_squares(prompts: Prompts) -> Tensor:
    weights = torch.linalg.lstsq(prompts.xs, prompts.ys.unsqueeze(2)).solution.squeeze(2)
    return torch.einsum("pqd,pd->pq", prompts.queries, weights)


def _moments(prompts: Prompts) -> tuple[Tensor, Tensor]:
    curvature = torch.einsum("pnd,pne->pde", prompts.xs, prompts.xs) / prompts.points
    return curvature, torch.einsum("pnd,pn->pd", prompts.xs, prompts.ys) / prompts.points


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_tend_to_least_squares(name: str, prompts: Prompts) -> None:
    optimizer, steps = SOLVERS[name]
    path = optimizer.path(prompts, steps)
    assert apart(path[-1], _least_squares(prompts)) < 1e-6 < apart(path[1], _least_squares(prompts))


def test_gradient_descent_keeps_one_minus_rate_times_eigenvalue_of_the_error(prompts: Prompts) -> None:
    curvature, aim = _moments(prompts)
    values, vectors = torch.linalg.eigh(curvature)
    filtered = (1 - (1 - 0.3 * values) ** 7) / values
    weights = torch.einsum("pde,pe,pfe,pf->pd", vectors, filtered, vectors, aim)
    expected = torch.einsum("pqd,pd->pq", prompts.queries, weights)
    assert apart(GradientDescent(0.3).path(prompts, 7)[-1], expected) < 1e-12


def test_newton_takes_twice_the_steps_of_gradient_descent_at_each_of_its_own(prompts: Prompts) -> None:
    newton, plain = NewtonSchulz(0.3).path(prompts, 6), GradientDescent(0.3).path(prompts, 32)
    assert apart(newton[1:], plain[[1, 2, 4, 8, 16, 32]]) < 1e-12


def test_conjugate_gradients_end_after_as_many_steps_as_dimensions_and_stay() -> None:
    prompts = regression(6, 20, 100.0, 7001)
    path = ConjugateGradient().path(prompts, 12)
    assert apart(path[6], _least_squares(prompts)) < 1e-10 and apart(path[12], path[6]) < 1e-10
    assert apart(path[5], path[6]) > 1e-4


def test_conjugate_gradients_go_where_scipy_goes() -> None:
    prompts = regression(6, 20, 10.0, 7002, count=1)
    curvature, aim = (moment[0].numpy() for moment in _moments(prompts))
    visited: list[np.ndarray] = []
    cg(curvature, aim, rtol=0, atol=0, maxiter=4, callback=lambda weights: visited.append(weights.copy()))
    expected = torch.einsum("qd,kd->kq", prompts.queries[0], torch.tensor(np.stack(visited)))
    assert apart(ConjugateGradient().path(prompts, 4)[1:, 0], expected) < 1e-10


def test_conjugate_gradients_of_labels_that_are_0_stay_at_0() -> None:
    prompts = regression(3, 8, 10.0, 7003)
    silent = prompts.relabelled(torch.zeros_like(prompts.ys))
    network = ConjugateGradient().compiled(3, 5)
    assert network.answer(network.run(network.start(silent), 0, 5)).eq(0).all()


def test_what_chebyshev_leaves_is_the_chebyshev_polynomial_of_the_curvature(prompts: Prompts) -> None:
    curvature, aim = _moments(prompts)
    values, vectors = torch.linalg.eigh(curvature)
    low, high = 0.2, 4.0
    of = np.polynomial.chebyshev.Chebyshev.basis(5)
    left = torch.tensor(of((high + low - 2 * values.numpy()) / (high - low)) / of((high + low) / (high - low)))
    weights = torch.einsum("pde,pe,pfe,pf->pd", vectors, (1 - left) / values, vectors, aim)
    expected = torch.einsum("pqd,pd->pq", prompts.queries, weights)
    assert apart(Chebyshev(low, high).path(prompts, 5)[-1], expected) < 1e-12


def test_a_preconditioner_is_another_scale_of_the_coordinates(prompts: Prompts) -> None:
    scale = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64)
    scaled = Prompts(prompts.xs / scale.sqrt(), prompts.ys, prompts.queries / scale.sqrt(), prompts.answers)
    with_it = PreconditionedGradientDescent(0.1, (0.5, 1.0, 4.0)).path(prompts, 6)
    assert apart(with_it, GradientDescent(0.1).path(scaled, 6)) < 1e-12


@pytest.mark.parametrize(
    "nearly",
    [Momentum(0.3, 1e-9), Nesterov(0.3, 1e-9), CurvatureCorrected(0.3, 1e-9), PreconditionedGradientDescent(0.3)],
)
def test_without_what_they_add_they_are_gradient_descent(nearly: Optimizer, prompts: Prompts) -> None:
    assert apart(nearly.path(prompts, 8), GradientDescent(0.3).path(prompts, 8)) < 1e-7


def test_heavy_ball_and_nesterov_are_two_methods(prompts: Prompts) -> None:
    assert apart(Momentum(0.3, 0.5).path(prompts, 6), Nesterov(0.3, 0.5).path(prompts, 6)) > 1e-2


def test_flattening_lowers_every_eigenvalue_by_its_own_share_from_step_to_step(prompts: Prompts) -> None:
    curvature, aim = _moments(prompts)
    values, vectors = torch.linalg.eigh(curvature)
    left, now = torch.ones_like(values), values
    for _ in range(6):
        left, now = left * (1 - 0.3 * now), now * (1 - 0.05 * now) ** 2
    weights = torch.einsum("pde,pe,pfe,pf->pd", vectors, (1 - left) / values, vectors, aim)
    expected = torch.einsum("pqd,pd->pq", prompts.queries, weights)
    assert apart(CurvatureCorrected(0.3, 0.05).path(prompts, 6)[-1], expected) < 1e-12
