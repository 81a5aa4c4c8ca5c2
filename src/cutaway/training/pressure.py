"""A pressure: what a training run asks of a network besides a low loss.

Sparsity, modularity and the like are given to the one training loop as a value with three methods.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Pressure(Protocol):
    """What the loop asks at each step; `None` in its place trains the plain network.

    A pressure is a function of the network and the step. What it has to remember (a mask, a multiplier) belongs in
    buffers of the network, which are in every checkpoint: then a resumed run equals an uninterrupted one.
    """

    def loss(self, network: nn.Module, step: int) -> Tensor | None:
        """A scalar in nats per token that is added to the cross-entropy, or None; called before the backward pass."""
        ...

    def after_step(self, network: nn.Module, step: int) -> None:
        """Called after the optimiser's step: the place to project the weights."""
        ...

    def report(self) -> dict[str, Any]:
        """What the pressure reached, in JSON values."""
        ...
