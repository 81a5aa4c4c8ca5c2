"""Proximal L1: after each step every weight moves towards 0 by learning rate × penalty and stops there.

Source: iterative soft thresholding, Daubechies et al. 2004 (arXiv math/0307152); Parikh and Boyd 2014, "Proximal Algorithms".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import Optimizer

from cutaway.dial.pressure.matrices import live, matrices
from cutaway.dial.pressure.pressure import Pressure, Step, check_number


@dataclass(frozen=True)
class Proximal(Pressure):
    """Soft threshold of all matrices but the kinds in `dense` by learning rate × `penalty`; biases and gains stay.

    Unlike an L1 term in the loss it gives exact zeros, and the optimiser's moments do not see it. How many weights live
    is not set but found. Penalty 0 is no pressure.
    """

    penalty: float = 1e-2
    dense: tuple[str, ...] = ("bigram",)

    def __post_init__(self) -> None:
        check_number("Proximal.penalty", self.penalty)

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        matrices(network, self.dense)

    @torch.no_grad()
    def after_step(self, network: nn.Module, supports: nn.Module, optimiser: Optimizer, step: Step) -> None:
        if self.penalty:
            for matrix in matrices(network, self.dense):
                matrix.weight.copy_(F.softshrink(matrix.weight, step.rate * self.penalty))

    def report(self, network: nn.Module) -> dict[str, Any]:
        return {"live": live(network)}
