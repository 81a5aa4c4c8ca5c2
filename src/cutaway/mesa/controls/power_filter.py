"""Layers that act on each other's results and descend nothing: powers of the points' second moments, all added with one sign.

A solver's polynomial has alternating signs, so that strong directions are taken back; here every layer makes them stronger. The
degree grows by one a layer, as in gradient descent, and after the first layer the answer moves away from the solution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class PowerFilter:
    """The answer is rate · b + rate² · S b + rate³ · S² b + …, where S = XᵀX/n and b = Xᵀy/n."""

    rate: float = 0.5

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer multiplies what lies at the points once more, and adds it to the answer."""
        space = Space.of(dtype, x=dim, y=1, power=1, answer=1)
        layers = tuple(Multiplied(self.rate, space, "y" if place == 0 else "power") for place in range(depth))
        return Stack(space, labelled, layers, space.read("answer")[:, 0])


@dataclass(frozen=True)
class Multiplied:
    """A layer: linear attention from `source` to the next power, which is added to the answer."""

    rate: float
    space: Space
    source: str

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, power, answer = (self.space.at(name) for name in ("x", "power", "answer"))
        held = state.told[..., self.space.at(self.source)]
        scores = torch.einsum("ptd,pnd->ptn", state.stream[..., x], state.told[..., x]) / state.tokens.points
        found = self.rate * scores @ held
        stream = state.stream.clone()
        stream[..., power] = found
        stream[..., answer] = state.stream[..., answer] + found
        return state.having(stream)
