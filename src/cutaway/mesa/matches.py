"""Which algorithm's iterates do a network's layers go through, and which null would do as well?

Every layer's reading is matched with one point of a path, later layers with later points; what is left of its variance, with a free
gain, is the distance. Paths of optimizers compete with paths that nobody iterates: ridge solutions of falling penalty, smoothers of
falling width, and the final answer faded in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import finite
from cutaway.mesa.optimizers import (
    ISTA,
    Boosting,
    Chebyshev,
    ConjugateGradient,
    CurvatureCorrected,
    Evolution,
    GradientDescent,
    KernelGradientDescent,
    LogisticGradientDescent,
    Momentum,
    Nesterov,
    NewtonSchulz,
    Optimizer,
)
from cutaway.mesa.prompts import Prompts

Path = Float[Tensor, "iterate prompt query"]

FLOOR = 1e-4
"""Shares of variance below are taken as this."""

RATES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)

FAMILIES: dict[str, tuple[tuple[Optimizer, ...], int]] = {
    "gradient descent": (tuple(GradientDescent(rate) for rate in RATES), 32),
    "momentum": (tuple(Momentum(rate, carry) for rate in RATES[1::3] for carry in (0.3, 0.5, 0.7)), 24),
    "nesterov": (tuple(Nesterov(rate, carry) for rate in RATES[1::3] for carry in (0.3, 0.5, 0.7)), 24),
    "chebyshev": (
        tuple(Chebyshev(low, high) for low, high in ((0.2, 4.0), (0.1, 3.0), (0.3, 3.0), (1.0, 5.0), (0.3, 6.0))),
        16,
    ),
    "gd++": (tuple(CurvatureCorrected(rate, flatten) for rate in RATES[1::3] for flatten in (0.05, 0.1)), 12),
    "newton-schulz": (tuple(NewtonSchulz(rate) for rate in RATES[1:8:2]), 10),
    "conjugate gradient": ((ConjugateGradient(),), 12),
    "ista": (tuple(ISTA(rate, penalty) for rate in RATES[1::3] for penalty in (0.03, 0.1, 0.3)), 24),
    "evolution": (tuple(Evolution(candidates, 1.0, decay) for candidates in (16, 64) for decay in (0.8, 0.95)), 12),
    "logistic": (tuple(LogisticGradientDescent(rate) for rate in (0.3, 1.0, 3.0)), 24),
    "kernel": (tuple(KernelGradientDescent(rate, width) for rate in (0.3, 1.0) for width in (1.0, 1.5, 2.0, 3.0)), 24),
    "boosting": (tuple(Boosting(rate, width) for rate in (0.3, 0.6, 1.0) for width in (0.7, 1.0, 1.5)), 16),
}
"""Settings of each family, and how many steps are tried."""


@dataclass(frozen=True)
class Matches:
    """The mean logarithm (base 10) of what is left of the readings' variance along the best path of each family."""

    optimizers: dict[str, float]
    nulls: dict[str, float]

    @property
    def margin(self) -> float:
        """How much nearer the best optimizer is than the best null, in powers of ten."""
        return min(self.nulls.values()) - min(self.optimizers.values())


@dataclass(frozen=True)
class Paths:
    """Where every family of optimizers goes on some problems, for each of its settings, and where every null goes."""

    optimizers: dict[str, list[Path]]
    nulls: dict[str, Path]

    @classmethod
    def of(cls, prompts: Prompts, layers: int) -> Paths:
        """Paths of at least as many steps as there are layers."""
        given = prompts.to(torch.float64)
        optimizers = {
            name: [finite(optimizer.path(given, max(steps, layers))) for optimizer in settings]
            for name, (settings, steps) in FAMILIES.items()
        }
        return cls(optimizers, {name: finite(path(given)) for name, path in NULLS.items()})


def matched(paths: Paths, readings: Float[Tensor, "layer prompt query"], live: list[bool]) -> Matches:
    """The paths nearest to the readings of the live layers between the first and the last."""
    inner = [layer for layer in range(1, len(readings) - 1) if live[layer]]
    between = readings[inner]
    free = {name: min(nearest(between, path[1:]) for path in found) for name, found in paths.optimizers.items()}
    nulls = {name: nearest(between, path) for name, path in paths.nulls.items()}
    return Matches(free, nulls | {"fade-in": nearest(between, readings[-1:])})


def nearest(readings: Float[Tensor, "layer prompt query"], path: Path) -> float:
    """The mean logarithm of what is left, each layer matched with one point of the path and no later layer with an earlier one."""
    if not len(readings):
        return 0.0
    total = torch.zeros(len(path), dtype=torch.float64)
    for costs in left_of(readings, path).clamp(min=FLOOR).log10():
        total = torch.cummin(total, 0).values + costs
    return float(total.min()) / len(readings)


def ridge_path(prompts: Prompts) -> Path:
    """Ridge solutions, penalties falling from 100 to 0.001 times the number of dimensions."""
    values, vectors = torch.linalg.eigh(torch.einsum("pnd,pne->pde", prompts.xs, prompts.xs))
    moment = torch.einsum("pnd,pn,pdk->pk", prompts.xs, prompts.ys, vectors)
    asked = torch.einsum("pqd,pdk->pqk", prompts.queries, vectors)
    penalties = prompts.dim * torch.logspace(2, -3, 32, dtype=torch.float64)
    return torch.stack([torch.einsum("pqk,pk->pq", asked, moment / (values + penalty)) for penalty in penalties])


def gaussian_smoothers(prompts: Prompts) -> Path:
    """Averages of the labels by nearness, of falling width."""
    apart = -torch.cdist(prompts.queries, prompts.xs).square() / 2
    return _averages(apart, prompts.ys)


def dot_smoothers(prompts: Prompts) -> Path:
    """Averages of the labels by softmax of the dot product, ever sharper."""
    return _averages(torch.einsum("pqd,pnd->pqn", prompts.queries, prompts.xs), prompts.ys)


NULLS: dict[str, Callable[[Prompts], Path]] = {
    "ridge path": ridge_path,
    "gaussian smoothers": gaussian_smoothers,
    "dot smoothers": dot_smoothers,
}


def _averages(scores: Float[Tensor, "prompt query point"], ys: Float[Tensor, "prompt point"]) -> Path:
    sharpness = torch.logspace(-1.5, 1.5, 24, dtype=torch.float64)
    return torch.stack([torch.einsum("pqn,pn->pq", (sharp * scores).softmax(-1), ys) for sharp in sharpness])


def left_of(readings: Float[Tensor, "layer prompt query"], path: Path) -> Float[Tensor, "layer iterate"]:
    """1 − the squared correlation of every reading with every point of a path."""
    one, other = (_standard(values.double().flatten(1)) for values in (readings, path))
    return (1 - (one @ other.T).square()).clamp(0, 1)


def _standard(rows: Float[Tensor, "row value"]) -> Float[Tensor, "row value"]:
    apart = rows - rows.mean(1, keepdim=True)
    return apart / apart.norm(dim=1, keepdim=True).clamp(min=1e-12)
