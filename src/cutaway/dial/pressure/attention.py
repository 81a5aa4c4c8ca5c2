"""Attention sparsity: a query attends to at most n tokens, those with the highest scores, n falling over the run.

Source: top-k attention, Gupta et al. 2021 (arXiv 2106.06899).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import nn

from cutaway.dial.pressure.activations import shape_of
from cutaway.dial.pressure.pressure import Pressure, Ramp, Step
from cutaway.dial.transformer import Attention


@dataclass(frozen=True)
class AttentionTopK(Pressure):
    """The tokens that a query may attend to fall from the whole context to what the network's shape says in `attend`.

    The sink does not count. The goal is the shape's, as in `ActivationTopK`; a shape with `attend=0` is no pressure.
    """

    ramp: Ramp = field(default_factory=Ramp)
    decides: ClassVar[str] = "which tokens are attended to"

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        shape_of(network)

    def before_pass(self, network: nn.Module, step: Step) -> None:
        shape = shape_of(network)
        if 0 < shape.attend < shape.context:
            tokens = round(self.ramp.at(step, shape.context, shape.attend))
            for module in network.modules():
                if isinstance(module, Attention):
                    module.attend = tokens

    def report(self, network: nn.Module) -> dict[str, Any]:
        return {"attend": sorted({module.attend for module in network.modules() if isinstance(module, Attention)})}
