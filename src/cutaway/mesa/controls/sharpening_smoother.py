"""A smoother of falling bandwidth: every layer averages the labels afresh, more narrowly than the layer before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from cutaway.mesa.controls.control import Step, between, layered
from cutaway.mesa.controls.kernel import Kernel, Shape
from cutaway.mesa.controls.kernel_smoother import smoothed
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class SharpeningSmoother:
    """Bandwidths from `first` to `last`."""

    shape: Shape = "gaussian"
    first: float = 5.0
    last: float = 0.7

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer smooths anew, and what was answered before is dropped."""
        kernels = [Kernel(self.shape, bandwidth) for bandwidth in between(self.first, self.last, depth)]
        return layered([Step(partial(smoothed, kernel), keep=0.0) for kernel in kernels], dim, dtype)
