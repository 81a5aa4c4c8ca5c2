"""Is a function of labels and a query a polynomial of the points' second moments, and of which degree?

Every first-order method on a squared error, and Newton's with approximate inverses, answers x·p(S)b at a place x, where S = XᵀX/n
and b = Xᵀy/n: a Krylov vector, filtered by a polynomial whose degree counts products with the data. Coefficients are shared by all
problems, fitted on some and judged on others. With a kernel, k(x)ᵀp(K)y. Chebyshev polynomials keep the columns independent.
Source: Krylov 1931; of kernels see Yao, Rosasco & Caponnetto 2007, "On early stopping in gradient descent learning".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts

DEGREES = 8
"""The highest degree that is tried."""

Kernel = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Form:
    """The share of a reading's variance that polynomials of degree 0, 1, … leave unexplained, and in which kernel.

    Degree 0 is what an affine function of the query explains without the labels. All 1 where nothing else is there to explain.
    """

    kernel: str
    unexplained: Float[Tensor, "layer degree"]

    def degrees(self, factor: float = 1.3, slack: float = 0.003) -> list[int]:
        """The smallest degree that comes within `factor` and `slack` of the best; 0 where even the best explains less than half."""
        best = self.unexplained.min(1).values
        near = self.unexplained <= factor * best.unsqueeze(1) + slack
        found = near.int().argmax(1)
        return torch.where(best < 0.5, found, 0).tolist()


def linear(places: Tensor, points: Tensor) -> Tensor:
    """The dot product."""
    return torch.einsum("ptd,pnd->ptn", places, points)


def gaussian(width: float) -> Kernel:
    """exp(−|x − x'|² / 2 width²)."""

    def kernel(places: Tensor, points: Tensor) -> Tensor:
        return (-torch.cdist(places, points).square() / (2 * width**2)).exp()

    return kernel


def exponential(scale: float) -> Kernel:
    """exp(scale · x·x')."""

    def kernel(places: Tensor, points: Tensor) -> Tensor:
        return (scale * linear(places, points)).exp()

    return kernel


def softmax(scale: float) -> Kernel:
    """Shares softmax(scale · x·x') over the points."""

    def kernel(places: Tensor, points: Tensor) -> Tensor:
        return (scale * linear(places, points)).softmax(-1)

    return kernel


KERNELS: dict[str, Kernel] = {
    "linear": linear,
    **{f"gaussian {width:g}": gaussian(width) for width in (0.7, 1.0, 1.5, 2.5)},
    **{f"exponential {scale:g}": exponential(scale) for scale in (0.25, 0.5, 1.0)},
    **{f"softmax {scale:g}": softmax(scale) for scale in (0.25, 0.5, 1.0)},
}


def best_form(fitting: Prompts, fit: Tensor, prompts: Prompts, readings: Tensor) -> Form:
    """The linear form, unless a kernel leaves less than half as much unexplained, in the mean over layers."""
    scores = {name: form(name, fitting, fit, fitting, fit) for name in KERNELS}
    left = {name: float(score.unexplained[1:].min(1).values.mean()) for name, score in scores.items()}
    kernel = min(left, key=lambda name: left[name])
    chosen = kernel if left[kernel] < 0.5 * left["linear"] and left["linear"] > 0.02 else "linear"
    return form(chosen, fitting, fit, prompts, readings)


def form(kernel: str, fitting: Prompts, fit: Tensor, prompts: Prompts, readings: Tensor) -> Form:
    """How well polynomials of each degree explain readings of `prompts`, their coefficients fitted on those of `fitting`."""
    scale = _largest(KERNELS[kernel], fitting)
    design, held = (_design(KERNELS[kernel], given, scale) for given in (fitting, prompts))
    fit, readings = fit.double().flatten(1).T, readings.double().flatten(1).T
    sizes = design.square().mean(0).sqrt().clamp(min=1e-12)
    Q, R = torch.linalg.qr(design / sizes)
    kept = R.diagonal().abs() > 1e-9 * R.diagonal().abs().max()
    inverse = torch.linalg.pinv(R, rtol=1e-12)
    parts = torch.einsum("rc,cl->rcl", held / sizes @ inverse, (Q.T @ fit) * kept.unsqueeze(1))
    left = (readings.unsqueeze(1) - parts.cumsum(1)).square().mean(0)[prompts.dim :].T
    base, whole = left[:, :1], readings.var(0, correction=0).unsqueeze(1)
    shares = torch.where(base > 1e-4 * whole + 1e-12, left / base.clamp(min=1e-300), 1.0)
    return Form(kernel, shares.nan_to_num(1.0).clamp(max=1.0))


def columns(kernel: str, fitting: Prompts, prompts: Prompts, degree: int) -> Float[Tensor, "row column"]:
    """What polynomials up to a degree are sums of, beside a constant and the query; scaled as in `form`."""
    return _design(KERNELS[kernel], prompts, _largest(KERNELS[kernel], fitting))[:, : 1 + prompts.dim + degree]


def _design(kernel: Kernel, prompts: Prompts, scale: float) -> Float[Tensor, "row column"]:
    """A constant, the query, and k(x)ᵀ T_0 y, k(x)ᵀ T_1 y, …, of every query."""
    xs, ys, queries = prompts.xs.double(), prompts.ys.double(), prompts.queries.double()
    gram, asked = kernel(xs, xs) / scale, kernel(queries, xs) / scale
    before, now = ys, 2 * _applied(gram, ys) - ys
    columns = [before, now]
    while len(columns) < DEGREES:
        before, now = now, 2 * (2 * _applied(gram, now) - now) - before
        columns.append(now)
    forms = torch.einsum("pqn,kpn->pqk", asked, torch.stack(columns))
    return torch.cat([torch.ones_like(queries[..., :1]), queries, forms], -1).flatten(0, 1)


def _applied(gram: Tensor, ys: Tensor) -> Tensor:
    return torch.einsum("pmn,pn->pm", gram, ys)


def _largest(kernel: Kernel, prompts: Prompts) -> float:
    """About the largest eigenvalue of the kernel between the points of any problem, by the power method, which comes from below."""
    gram = kernel(prompts.xs.double(), prompts.xs.double())
    probe = torch.ones_like(gram[..., 0])
    for _ in range(12):
        probe = _applied(gram.abs(), probe)
        probe = probe / probe.norm(dim=1, keepdim=True).clamp(min=1e-300)
    return max(float(_applied(gram.abs(), probe).norm(dim=1).max()), 1e-12)
