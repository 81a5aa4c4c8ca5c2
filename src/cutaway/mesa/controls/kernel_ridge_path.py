"""A path of kernel ridge regressions: every layer solves afresh, with a smaller penalty than the layer before."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import Step, between, layered
from cutaway.mesa.controls.kernel import Shape
from cutaway.mesa.controls.kernel_ridge import KernelRidgeAtOnce
from cutaway.mesa.reference import Stack


@dataclass(frozen=True)
class KernelRidgePath:
    """Penalties from `first` to `last`, of one kernel; what was answered before is dropped."""

    shape: Shape = "gaussian"
    bandwidth: float = 2.0
    first: float = 10.0
    last: float = 0.01

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew."""
        penalties = between(self.first, self.last, depth)
        rules = [KernelRidgeAtOnce(self.shape, self.bandwidth, penalty).rule for penalty in penalties]
        return layered([Step(rule, keep=0.0) for rule in rules], dim, dtype)
