"""Which optimizers a network's layers go along with, step for step: a class that cannot be told apart, not a name.

A list of settings finds the neighbourhood in each family, a search (Nelder and Mead 1965, on the logarithms of the settings) the
place. A lens is fitted to the final answer, so with momentum it runs ahead of the iterate; the network's own readout does not, but
says nothing where layers write in another basis than the last: whichever of the two comes nearer to any optimizer is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import finite
from cutaway.mesa.matches import FAMILIES, FLOOR, RATES, Paths, left_of
from cutaway.mesa.optimizers import Chebyshev, Evolution, Optimizer, PreconditionedGradientDescent
from cutaway.mesa.prompts import Prompts

FREE: dict[str, tuple[str, ...]] = {
    "gradient descent": ("rate",),
    "momentum": ("rate", "carry"),
    "nesterov": ("rate", "carry"),
    "chebyshev": ("low", "high"),
    "gd++": ("rate", "flatten"),
    "newton-schulz": ("rate",),
    "ista": ("rate", "penalty"),
    "evolution": ("temperature", "size"),
    "logistic": ("rate",),
    "kernel": ("rate", "bandwidth"),
    "boosting": ("rate", "bandwidth"),
}
"""The settings that are fitted, of families that have such."""

FITTED, NEAR = 32, 1.5
"""Problems that settings are fitted on, and how far from the nearest family another may be to be fitted, in powers of ten."""

ALIKE = 0.2
"""Powers of ten by which a path may be further away than the nearest and still be told as alike."""

TRIES, WIDE = 60, 0.25
"""Settings that are tried for a family, and how far the first ones lie apart, in logarithms."""

Readings = Float[Tensor, "layer prompt query"]


@dataclass(frozen=True)
class Alike:
    """What each family leaves of the readings' variance at its best settings, one step a layer: a mean logarithm (base 10)."""

    left: dict[str, float]

    @property
    def families(self) -> tuple[str, ...]:
        """Those that are as near as the nearest."""
        best = min(self.left.values())
        return tuple(name for name, left in self.left.items() if left <= best + ALIKE)

    @classmethod
    def of(cls, paths: Paths, prompts: Prompts, ways: Sequence[Readings], live: list[bool]) -> Alike:
        """By the one of several ways to read the layers that comes nearest to any optimizer."""
        found = [_fitted(paths, prompts, readings, live) for readings in ways]
        return cls(min(found, key=lambda left: min(left.values())))


def _fitted(paths: Paths, prompts: Prompts, readings: Readings, live: list[bool]) -> dict[str, float]:
    """What each family leaves, its settings fitted where it is near enough to be the nearest in the end."""
    layers = [layer for layer in range(1, len(readings)) if live[layer]]
    few, steps, read = prompts.take(slice(0, FITTED)).to(torch.float64), len(readings) - 1, readings[:, :FITTED]

    def distance(optimizer: Optimizer) -> float:
        return _mean_log(left_of(read, finite(optimizer.path(few, steps)))[layers, layers])

    near: dict[str, list[tuple[float, Optimizer]]] = {}
    for name, (settings, _) in FAMILIES.items():
        course = [_mean_log(left_of(read, path[:, :FITTED])[layers, layers]) for path in paths.optimizers[name]]
        near[name] = [_least(zip(course, settings, strict=True))]
    for name, others in further(prompts).items():
        near[name].append(_least((distance(other), other) for other in others))
    best = min(left for starts in near.values() for left, _ in starts)
    return {
        name: min(
            _refined(start, FREE[name], distance) if name in FREE and left < best + NEAR else left
            for left, start in starts
        )
        for name, starts in near.items()
    }


def further(prompts: Prompts) -> dict[str, tuple[Optimizer, ...]]:
    """Settings that hang on the problems or take long: another place to begin at.

    Chebyshev's interval ends at the largest curvature; gradient descent may divide each coordinate by its variance. The larger
    a generation is, the less its path hangs on which offsets were drawn: those of a network are not known.
    """
    xs = prompts.xs.double()
    top = float(torch.linalg.eigvalsh(torch.einsum("pnd,pne->pde", xs, xs) / prompts.points).max())
    variances = tuple(xs.square().mean((0, 1)).clamp(min=1e-6).tolist())
    return {
        "gradient descent": tuple(PreconditionedGradientDescent(rate, variances) for rate in RATES[1::3]),
        "chebyshev": tuple(Chebyshev(low * top, 1.15 * top) for low in (0.05, 0.1, 0.25)),
        "evolution": (Evolution(512, 1.0, 0.85),),
    }


def _least(found: Iterable[tuple[float, Optimizer]]) -> tuple[float, Optimizer]:
    return min(found, key=lambda pair: pair[0])


def _refined(start: Optimizer, free: tuple[str, ...], distance: Callable[[Optimizer], float]) -> float:
    """The least distance that was found, beginning at `start`; settings that a family refuses are as far as can be."""
    from scipy.optimize import minimize

    def tried(logs: Any) -> float:
        fields: dict[str, Any] = {name: exp(value) for name, value in zip(free, logs, strict=True)}
        try:
            other = replace(start, **fields)  # ty: ignore[invalid-argument-type]
        except ValueError:
            return 0.0
        return distance(other)

    at = np.array([log(getattr(start, name)) for name in free])
    simplex = np.vstack([at, *(at + WIDE * step for step in np.eye(len(free)))])
    options = {"maxfev": TRIES, "initial_simplex": simplex, "fatol": 1e-3, "xatol": 1e-4}
    return min(distance(start), float(minimize(tried, at, method="Nelder-Mead", options=options).fun))


def _mean_log(left: Float[Tensor, "layer"]) -> float:
    return float(left.clamp(min=FLOOR).log10().mean()) if len(left) else 0.0
