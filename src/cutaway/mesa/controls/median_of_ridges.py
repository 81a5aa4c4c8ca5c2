"""The running median of solvers: every layer solves with another penalty and keeps the middle of the last three answers.

An ensemble that is no sum: what layers know side by side does not give its answer by a linear readout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import between
from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class MedianOfRidges:
    """Penalties from `first` to `last`, both in units of the number of dimensions."""

    first: float = 30.0
    last: float = 0.01

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Every layer solves anew, and shifts what the last two have answered."""
        space = Space.of(dtype, x=dim, y=1, last=1, before=1, answer=1)
        layers = tuple(Middle(dim * penalty, space) for penalty in between(self.first, self.last, depth))
        return Stack(space, labelled, layers, space.read("answer")[:, 0])


@dataclass(frozen=True)
class Middle:
    """A layer: the median of its own solution and of those of the two layers before."""

    penalty: float
    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, y, last, before, answer = (self.space.at(name) for name in ("x", "y", "last", "before", "answer"))
        found = ridge(self.penalty, state.told[..., x], state.told[..., y].squeeze(-1), state.stream[..., x]).unsqueeze(
            -1
        )
        three = torch.cat([found, state.stream[..., last], state.stream[..., before]], -1)
        stream = state.stream.clone()
        stream[..., before], stream[..., last] = state.stream[..., last], found
        stream[..., answer] = three.median(-1, keepdim=True).values
        return state.having(stream)
