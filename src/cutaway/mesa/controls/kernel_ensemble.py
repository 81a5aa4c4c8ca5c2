"""An ensemble of smoothers: every layer reads the labels again, with another kernel, and adds its share to the answer.

Labels matter in every layer, and no layer looks at what the others answered: all could be done side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Step, between, layered
from cutaway.mesa.controls.kernel import Kernel, Shape
from cutaway.mesa.controls.kernel_smoother import smoothed
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class KernelEnsemble:
    """The mean of smoothers of bandwidths from `first` to `last`."""

    shape: Shape = "gaussian"
    first: float = 3.0
    last: float = 0.5

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer adds one smoother's share."""
        kernels = [Kernel(self.shape, bandwidth) for bandwidth in between(self.first, self.last, depth)]
        return layered([Step(partial(smoothed, kernel), share=1 / depth) for kernel in kernels], dim, dtype)
