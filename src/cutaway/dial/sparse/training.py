"""Training under regrowth with sparse layers where they are faster: dead weights are asked for only where some may grow."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from cutaway.dial.pressure.pressure import Step
from cutaway.dial.pressure.regrowth import Regrowth
from cutaway.dial.sparse.choice import turn_insides, winners
from cutaway.dial.sparse.on_support import OnSupport


@dataclass(frozen=True)
class Layers:
    """The sparse layers of a network in training, by name: none without regrowth, or where none is faster."""

    regrowth: Regrowth | None = None
    each: dict[str, OnSupport] = field(default_factory=dict)

    def turn(self, step: Step) -> None:
        """What they compute in this step: everything where weights are exchanged, else what lives."""
        if self.regrowth is None:
            return
        exchanged = self.regrowth.exchanges(step)
        for layer in self.each.values():
            layer.turn(dense=exchanged)


@contextmanager
def sparse_layers(network: nn.Module, regrowth: Regrowth, supports: nn.Module, tokens: int) -> Generator[Layers]:
    """Within the block those linear layers of `network` are sparse that are faster so; after it they are what they were.

    `supports` is what `regrowth` remembers of it, `tokens` how many are seen in a step. The network is changed in place, its
    parameters and their names are not; what is trained is the same but for rounding.
    """
    masks = {name.replace("/", "."): mask for name, mask in supports.named_buffers()}
    shares = {matrix.name: count / matrix.weight.numel() for matrix, count in regrowth.counts(network).items()}
    linears = {name: network.get_submodule(name) for name in winners(network, shares, tokens)}
    made = {
        name: OnSupport(linear, masks[f"{name}.weight"])
        for name, linear in linears.items()
        if isinstance(linear, nn.Linear)
    }
    try:
        for name, layer in made.items():
            network.set_submodule(name, layer)
        turn_insides(network)
        yield Layers(regrowth, made)
    finally:
        for name in made:
            network.set_submodule(name, linears[name])
