"""A subject that counts the layers it runs: the cost of a sign in operations."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import finite
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State, Subject


@dataclass
class Counted:
    """The same subject, without gradients; `layers` counts layers × problems that it ran."""

    subject: Subject
    layers: int = field(default=0, init=False)

    @property
    def depth(self) -> int:
        """How many layers."""
        return self.subject.depth

    @torch.no_grad()
    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        return self.subject.start(prompts)

    @torch.no_grad()
    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        self.layers += (last - first) * len(state.stream)
        return self.subject.run(state, first, last)

    @torch.no_grad()
    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers, in float64; what overflowed is cut at ±1e9."""
        return finite(self.subject.answer(state))

    def finish(self, state: State, layer: int) -> Float[Tensor, "prompt query"]:
        """The answers, given a state after `layer` layers."""
        return self.answer(self.run(state, layer, self.depth))
