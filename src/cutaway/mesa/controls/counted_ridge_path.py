"""A ridge path whose layers are all the same: each solves afresh, with a penalty that falls with a count that the layers keep.

From a blank state every layer is the first, so that none has the solution alone; and yet no layer uses what another answered.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.ridge_at_once import ridge
from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class CountedRidgePath:
    """Penalties from `first` to `last`, in units of the number of dimensions, as those of `RidgePath`."""

    first: float = 100.0
    last: float = 0.01

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """The same layer so many times."""
        if not (self.first > 0 and self.last > 0):
            raise ValueError(f"a course from {self.first} to {self.last}; expected positive numbers")
        space = Space.of(dtype, x=dim, y=1, answer=1, count=1)
        layer = Counting(dim * self.first, (self.last / self.first) ** (1 / max(depth - 1, 1)), space)
        return Stack(space, labelled, (layer,) * depth, space.read("answer")[:, 0])


@dataclass(frozen=True)
class Counting:
    """Solves with the penalty `first` · `ratio`^count, and counts on."""

    first: float
    ratio: float
    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, y, answer, count = (self.space.at(name) for name in ("x", "y", "answer", "count"))
        penalty = self.first * self.ratio ** float(state.stream[..., count].mean())
        stream = state.stream.clone()
        found = ridge(penalty, state.told[..., x], state.told[..., y].squeeze(-1), state.stream[..., x])
        stream[..., answer] = found.unsqueeze(-1)
        stream[..., count] += 1
        return state.having(stream)
