"""Nadaraya-Watson smoothing in one layer: labels averaged by how alike their points are to the query.

With the kernel `dot` this is one head of softmax attention. Source: Nadaraya 1964, "On estimating regression"; Watson 1964,
"Smooth regression analysis".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import Answers, Labels, Places, Points, once
from cutaway.mesa.controls.kernel import Kernel, Shape
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class KernelSmoother:
    """Labels averaged with shares in proportion to a kernel."""

    shape: Shape = "gaussian"
    bandwidth: float = 1.0
    layer: int = 1

    def rule(self, xs: Points, ys: Labels, at: Places) -> Answers:
        """The answers at these places."""
        return smoothed(Kernel(self.shape, self.bandwidth), xs, ys, at)

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One layer does it, the others do nothing."""
        return once(self.rule, self.layer, dim, depth, dtype)


def smoothed(kernel: Kernel, xs: Points, ys: Labels, at: Places) -> Answers:
    """The mean of the labels, weighed by the kernel."""
    return torch.einsum("ptn,pn->pt", kernel.logarithm(at, xs).softmax(-1), ys)
