"""A network with a solving layer, open between that layer's steps of conjugate gradients: every step is a layer.

Beside the stream a state holds what the solver knows of each token: the solution so far, what is left, the next direction, and what
it would write if it stopped there. The last is what a lens can read, as a solution means nothing without the context's values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.language.mesa_net.layer import Solving
from cutaway.mesa.language.mesa_net.network import MesaNetwork
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class Unrolled:
    """A subject: the steps of a network's solving layer one by one, then what the network does behind them.

    The state before the first layer is that in which the solver is handed its query. A network of 0 steps has its linear read as
    the only one.
    """

    network: MesaNetwork

    @property
    def depth(self) -> int:
        """How many layers: the steps, and two behind."""
        return max(1, self.network.mesa.steps) + 2

    def start(self, prompts: Prompts) -> State:
        """The state before the first step: all of the query is left to solve."""
        state = self.network.run(self.network.start(prompts), 0, 1)
        return self._whole(state, state.stream, self.network.mesa.begun(state.stream), torch.zeros_like(state.stream))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        for layer in range(first, last):
            state = self._layer(state, layer)
        return state

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return self.network.answer(state.having(state.stream[..., : self.network.shape.width]))

    def _layer(self, state: State, layer: int) -> State:
        network, (x, solver, written) = self.network, self._parts(state)
        if layer < self.depth - 2:
            seen = network.mesa.seen(x, state.tokens)
            solver = seen.step(solver) if network.mesa.steps else solver
            return self._whole(state, x, solver, network.mesa.written(seen, solver))
        if layer == self.depth - 2:
            x, written = x + written, torch.zeros_like(written)
        return self._whole(state, x + network.mlps[layer - self.depth + 3](x), solver, written)

    def _parts(self, state: State) -> tuple[Tensor, Solving, Tensor]:
        """The stream, the solver, and what it would write."""
        width, heads = self.network.shape.width, self.network.shape.heads
        x, held, written = state.stream.split([width, state.stream.shape[2] - 2 * width, width], 2)
        parts = rearrange(held, "prompt token (part head key) -> part prompt head token key", part=3, head=heads)
        return x, Solving(*parts), written

    def _whole(self, state: State, x: Tensor, solver: Solving, written: Tensor) -> State:
        held = torch.stack([solver.found, solver.left, solver.way])
        flat = rearrange(held, "part prompt head token key -> prompt token (part head key)")
        return state.having(torch.cat([x, flat, written], 2))
