"""What an optimizer is that a network may run inside: the predictions of its iterates, and weights that compute them."""

from __future__ import annotations

from math import inf
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.stack import Stack


class Optimizer(Protocol):
    """An iterative algorithm on the labelled points of a problem."""

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Its predictions at the queries after 0, 1, …, `steps` steps, written as the textbook has them."""
        ...

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Weights that compute it, one step a layer; the readout at layer k is the prediction after k steps."""
        ...


def expect_between(optimizer: object, name: str, low: float, high: float = inf) -> None:
    """Errors: a parameter that is not between `low` and `high`, both excluded."""
    value = getattr(optimizer, name)
    if not low < value < high:
        expected = f"more than {low:g}" if high == inf else f"a number between {low:g} and {high:g}, both excluded"
        raise ValueError(f"{type(optimizer).__name__}.{name} is {value}; expected {expected}")


def expect_size(dim: int, steps: int) -> None:
    """Errors: no dimension, or no step."""
    if dim < 1 or steps < 1:
        raise ValueError(f"weights were asked for dim={dim}, steps={steps}; expected both to be positive")
