"""A fixed task: a function of the query alone, learned once and for all; the labelled points are not looked at.

Every layer adds hidden neurons of one wide network, so the answer changes from layer to layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, Step, layered
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class FixedTask:
    """w·x where `neurons` is 0, else an MLP of so many a layer, with tanh; all of its weights are drawn from `seed`."""

    neurons: int = 0
    seed: int = 0

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer adds its part of the function."""
        generator = torch.Generator().manual_seed(self.seed)
        parts = [self._part(dim, depth, generator, dtype) for _ in range(depth)]
        return layered([Step(part) for part in parts], dim, dtype)

    def _part(self, dim: int, depth: int, generator: torch.Generator, dtype: torch.dtype) -> Plain | Hidden:
        if not self.neurons:
            return Plain(_normal(generator, dim).to(dtype) / sqrt(dim * depth))
        inward = _normal(generator, dim, self.neurons) / sqrt(dim)
        return Hidden(inward.to(dtype), _normal(generator, self.neurons).to(dtype) / sqrt(self.neurons * depth))


@dataclass(frozen=True)
class Plain:
    """x ↦ w·x."""

    weights: Float[Tensor, "dim"]

    def __call__(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places, whatever the points and labels."""
        return at @ self.weights


@dataclass(frozen=True)
class Hidden:
    """x ↦ tanh(x W)·v."""

    inward: Float[Tensor, "dim neuron"]
    outward: Float[Tensor, "neuron"]

    def __call__(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places, whatever the points and labels."""
        return (at @ self.inward).tanh() @ self.outward


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
