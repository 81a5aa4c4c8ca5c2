"""A straight line through points of which some are lower bounds: maximum likelihood (Tobin 1958, Econometrica 26).

In Olsen's parameters (1978, Econometrica 46), coefficients / σ and 1 / σ, the likelihood is concave, so that Newton's
method finds its maximum. Without bounds it is least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

STEPS, CLOSE = 100, 1e-10
EXACT = 1e-10
"""Noise below this share of what is fitted is that of arithmetic."""


class NotFitted(ValueError):
    """There are too few points that were reached, or they lie on a line exactly."""


@dataclass(frozen=True)
class Line:
    """y = design · coefficients + σ · noise. error: of each coefficient, from the curvature of the likelihood."""

    coefficients: Float[np.ndarray, "column"]
    error: Float[np.ndarray, "column"]
    sigma: float
    log_likelihood: float


def fit(
    design: Float[np.ndarray, "point column"], y: Float[np.ndarray, "point"], reached: Bool[np.ndarray, "point"]
) -> Line:
    """The line of maximum likelihood; `sigma` is the maximum-likelihood one, which is a little small.

    Raises NotFitted if fewer points were reached than there are columns, plus one.
    """
    columns = design.shape[1]
    if reached.sum() <= columns or np.linalg.matrix_rank(design[reached]) < columns:
        raise NotFitted(
            f"given {reached.sum()} points that were reached, for {columns} coefficients; expected at least {columns + 1}, "
            "at different sizes"
        )
    start = _least_squares(design[reached], y[reached])
    if reached.all():
        return start
    if start.sigma < EXACT * max(1.0, float(np.abs(y).max())):
        raise NotFitted(
            f"{reached.sum()} points that were reached lie on a line exactly, beside {(~reached).sum()} bounds; expected points "
            "with noise, as without it nothing says how near a bound may be"
        )
    return _newton(design, y, reached, start)


def _least_squares(design: np.ndarray, y: np.ndarray) -> Line:
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    residuals = y - design @ coefficients
    sigma = max(float(np.sqrt(np.mean(residuals**2))), 1e-12 * max(1.0, float(np.abs(y).max())))
    spread = sigma * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    return Line(coefficients, spread, sigma, -len(y) * (np.log(sigma) + 0.5 * np.log(2 * np.pi) + 0.5))


def _newton(design: np.ndarray, y: np.ndarray, reached: np.ndarray, start: Line) -> Line:
    """Newton's method with halved steps, in δ = coefficients / σ and γ = 1 / σ: both kinds of residual are linear in them."""
    rows = np.column_stack([-design, y])
    rows[~reached] *= -1
    at = np.append(start.coefficients, 1.0) / start.sigma
    value = _likelihood(rows, reached, at)
    for _ in range(STEPS):
        gradient, hessian = _slopes(rows, reached, at)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while (new := _likelihood(rows, reached, at - size * step)) < value and size > 1e-8:
            size /= 2
        gained, at, value = new - value, at - size * step, new
        if gained < CLOSE:
            break
    sigma = 1 / at[-1]
    _, hessian = _slopes(rows, reached, at)
    turned = np.eye(len(at)) * sigma
    turned[:, -1] = -at * sigma**2
    covariance = turned @ np.linalg.inv(-hessian) @ turned.T
    return Line(at[:-1] * sigma, np.sqrt(np.diag(covariance)[:-1]), float(sigma), float(value))


def _likelihood(rows: np.ndarray, reached: np.ndarray, at: np.ndarray) -> float:
    from scipy.special import log_ndtr

    if at[-1] <= 0:
        return -np.inf
    residual = rows @ at
    known = residual[reached]
    found = len(known) * (np.log(at[-1]) - 0.5 * np.log(2 * np.pi)) - 0.5 * known @ known
    return float(found + log_ndtr(residual[~reached]).sum())


def _slopes(rows: np.ndarray, reached: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import log_ndtr

    residual, known, bounded = rows @ at, rows[reached], rows[~reached]
    above = residual[~reached]
    # The hazard φ / Φ of a bound; by logarithms, for one that lies far out.
    hazard = np.exp(-0.5 * above**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(above))
    gradient = bounded.T @ hazard - known.T @ residual[reached]
    hessian = -known.T @ known - (bounded * (hazard * (hazard + above))[:, None]).T @ bounded
    count = reached.sum()
    gradient[-1] += count / at[-1]
    hessian[-1, -1] -= count / at[-1] ** 2
    return gradient, hessian
