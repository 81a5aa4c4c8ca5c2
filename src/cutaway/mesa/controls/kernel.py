"""How alike two points are: the kernels that smoothers and kernel ridge regression weigh labels by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.controls.control import Places, Points

Shape = Literal["gaussian", "laplacian", "dot"]


@dataclass(frozen=True)
class Kernel:
    """exp of minus half the squared distance, of minus the city-block distance, or of the dot product, in units of `bandwidth`.

    `dot` is what softmax attention weighs by.
    """

    shape: Shape = "gaussian"
    bandwidth: float = 1.0

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape) or not self.bandwidth > 0:
            raise ValueError(
                f"a kernel {self.shape!r} of bandwidth {self.bandwidth}; expected one of {', '.join(get_args(Shape))}, > 0"
            )

    def logarithm(self, places: Places, points: Points) -> Float[Tensor, "prompt place point"]:
        """The logarithm of the kernel between every place and every point."""
        if self.shape == "dot":
            return torch.einsum("ptd,pnd->ptn", places, points) / self.bandwidth**2
        apart = places.unsqueeze(2) - points.unsqueeze(1)
        if self.shape == "laplacian":
            return -apart.abs().sum(-1) / self.bandwidth
        return -apart.square().sum(-1) / (2 * self.bandwidth**2)

    def __call__(self, places: Places, points: Points) -> Float[Tensor, "prompt place point"]:
        """The kernel between every place and every point."""
        return self.logarithm(places, points).exp()
