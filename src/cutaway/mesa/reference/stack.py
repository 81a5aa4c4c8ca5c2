"""A reference network: how problems enter its residual stream, its layers, and where the answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Layer
from cutaway.mesa.reference.space import Space
from cutaway.mesa.subject import State, Tokens

Enter = Callable[[Prompts, Space], Float[Tensor, "prompt token width"]]
"""Problems -> tokens in the named coordinates: points, queries, then work tokens."""


@dataclass(frozen=True)
class Stack:
    """A network of layers compiled in named coordinates; a `Subject`.

    `read` gives the answer from a query's row. With a `basis` the stream is written in another basis of as many or more
    dimensions: what enters is turned, and the layers and `read` are the turned ones.
    """

    space: Space
    enter: Enter
    layers: tuple[Callable[[State], State], ...]
    read: Float[Tensor, "width"]
    work: int = 0
    basis: Float[Tensor, "named width"] | None = None

    @property
    def depth(self) -> int:
        """How many layers."""
        return len(self.layers)

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        stream = self.enter(prompts.to(self.space.dtype), self.space)
        tokens = Tokens(prompts.points, prompts.queries.shape[1], self.work)
        if stream.shape[1:] != (tokens.count, self.space.width):
            raise ValueError(
                f"problems entered as {tuple(stream.shape)}; expected [{tokens.count}, {self.space.width}] each"
            )
        return State(stream if self.basis is None else stream @ self.basis, tokens)

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        for layer in self.layers[first:last]:
            state = layer(state)
        return state

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return state.asked @ self.read

    def rotated(self, seed: int, width: int | None = None) -> Stack:
        """The same network with its stream in a random orthonormal basis of `width` dimensions (default: as many as it has).

        Errors: a narrower stream than the named coordinates, a stack that is turned already, layers that are no `Layer`.
        """
        named = self.space.width
        width = named if width is None else width
        if width < named or self.basis is not None:
            raise ValueError(f"{named} coordinates cannot be turned into {width} dimensions, or were turned before")
        generator = torch.Generator().manual_seed(seed)
        square = torch.randn(width, width, generator=generator, dtype=torch.float64)
        basis = torch.linalg.qr(square).Q[:named].to(self.space.dtype)
        layers = tuple(turned(layer, basis) for layer in self.layers)
        return replace(self, layers=layers, read=self.read @ basis, basis=basis)


def turned(layer: Callable[[State], State], basis: Float[Tensor, "named width"]) -> Callable[[State], State]:
    """A layer for a stream in another basis: by its weights, or around it where it is no compiled one.

    Either way what lies outside of the named coordinates stays as it is.
    """
    if isinstance(layer, Layer):
        return layer.turned(basis)

    def around(state: State) -> State:
        inside = state.having(state.stream @ basis.T)
        return state.having(state.stream + (layer(inside).stream - inside.stream) @ basis)

    return around


def labelled(prompts: Prompts, space: Space) -> Float[Tensor, "prompt token width"]:
    """Points as (x, y) and queries as (x, 0), in coordinates named so; everything else begins at 0."""
    if prompts.dim != space.sized("x"):
        raise ValueError(f"the problems have {prompts.dim} dimensions, the network was compiled for {space.sized('x')}")
    stream = prompts.xs.new_zeros(prompts.count, prompts.points + prompts.queries.shape[1], space.width)
    stream[:, :, space.at("x")] = torch.cat([prompts.xs, prompts.queries], 1)
    stream[:, : prompts.points, space.at("y")] = prompts.ys.unsqueeze(-1)
    return stream


@dataclass(frozen=True)
class Beside:
    """Enters problems as `labelled`, then work tokens that are the same for every problem."""

    rows: Float[Tensor, "work width"]

    def __call__(self, prompts: Prompts, space: Space) -> Float[Tensor, "prompt token width"]:
        """The stream before the first layer."""
        return torch.cat([labelled(prompts, space), self.rows.expand(prompts.count, -1, -1)], 1)
