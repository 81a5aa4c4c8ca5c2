"""Activation top-k (AbsTopK): at every site only the largest magnitudes survive, their share falling over the run.

Sources: Gao et al. 2025 (arXiv 2511.13653); k-sparse codes: Makhzani and Frey 2013 (arXiv 1312.5663).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import nn

from cutaway.dial.pressure.pressure import Pressure, Ramp, Step
from cutaway.dial.transformer import Largest, SparseShape, SparseTransformer


@dataclass(frozen=True)
class ActivationTopK(Pressure):
    """The share of channels that survive at each site falls from 1 to what the network's shape says in `keep`.

    The goal is the shape's, not a field of this value, because the trained network must compute the same when it is built
    from its shape again. To anneal a dense checkpoint, load its weights into a network with a smaller `keep`. A shape
    that keeps all is no pressure.
    """

    ramp: Ramp = field(default_factory=Ramp)
    decides: ClassVar[str] = "which activations survive"

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        shape_of(network)

    def before_pass(self, network: nn.Module, step: Step) -> None:
        share = self.ramp.at(step, 1.0, shape_of(network).keep)
        for module in network.modules():
            if isinstance(module, Largest):
                module.share = share

    def report(self, network: nn.Module) -> dict[str, Any]:
        return {"keep": sorted({module.share for module in network.modules() if isinstance(module, Largest)})}


def shape_of(network: nn.Module) -> SparseShape:
    """The shape of a `SparseTransformer`; ValueError for another network."""
    if not isinstance(network, SparseTransformer):
        raise ValueError(f"this pressure was given a {type(network).__name__}; expected a SparseTransformer")
    return network.shape
