"""The sham of a network: its answer is finished in the first layer and then only faded in, so that it seems to get better.

The stream holds what came in and, beside it, what the network adds to it from first layer to last, scaled up layer by layer. With
`rereads` every layer runs the whole network again on what came in and adds its share: labels matter in every layer, and nothing
is built on what was there. The answers of the last layer are the network's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State, Subject

Fade = Literal["linear", "geometric"]
"""By equal shares, or by shares that fall by a constant factor, as the steps of a converging optimizer do."""


@dataclass(frozen=True)
class Sham:
    """A `Subject` that answers as another one, over `layers` layers; with `geometric` what is missing falls by `ratio` a layer."""

    subject: Subject
    layers: int
    fade: Fade = "linear"
    ratio: float = 0.5
    rereads: bool = False

    def __post_init__(self) -> None:
        if self.layers < 1 or self.fade not in get_args(Fade) or not 0 < self.ratio < 1:
            raise ValueError(
                f"a sham of {self.layers} layers that fades {self.fade!r} by {self.ratio}; expected at least one layer, "
                f"{' or '.join(get_args(Fade))}, and a ratio between 0 and 1"
            )

    @property
    def depth(self) -> int:
        """How many layers."""
        return self.layers

    def shown(self, layer: int) -> float:
        """The share of the finished answer that is there after so many layers: 0 before the first, 1 after the last."""
        if self.fade == "linear":
            return layer / self.layers
        return (1 - self.ratio**layer) / (1 - self.ratio**self.layers)

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer: what comes in, and nothing beside it."""
        state = self.subject.start(prompts)
        return state.having(torch.cat([state.stream, torch.zeros_like(state.stream)], -1))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        given, added = state.stream.chunk(2, -1)
        for layer in range(first + 1, last + 1):
            now, before = self.shown(layer), self.shown(layer - 1)
            if self.rereads or layer == 1:
                added = added + (now - before) * self._added(state.having(given))
            else:
                added = added * (now / before)
        return state.having(torch.cat([given, added], -1))

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        given, added = state.stream.chunk(2, -1)
        return self.subject.answer(state.having(given + added))

    def _added(self, given: State) -> Float[Tensor, "prompt token width"]:
        """What the whole network adds to what came in."""
        return self.subject.run(given, 0, self.subject.depth).stream - given.stream
