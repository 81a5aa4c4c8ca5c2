"""A smoother of smoothed labels: one layer averages the labels at every place, a later one averages those averages."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import idle
from cutaway.mesa.controls.kernel import Kernel, Shape
from cutaway.mesa.controls.kernel_smoother import smoothed
from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class NestedSmoother:
    """Averages by a kernel, then by the same kernel averages of those; the layers are the first and `second`."""

    shape: Shape = "gaussian"
    bandwidth: float = 1.0
    second: int = 2

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Two layers do it, the others do nothing."""
        if not 2 <= self.second <= depth:
            raise ValueError(f"the second smoother is to be layer {self.second} of {depth}; expected 2 to {depth}")
        space = Space.of(dtype, x=dim, y=1, answer=1)
        kernel = Kernel(self.shape, self.bandwidth)
        stages = {1: Averaging(kernel, space, "y"), self.second: Averaging(kernel, space, "answer")}
        layers = tuple(stages.get(layer, idle) for layer in range(1, depth + 1))
        return Stack(space, labelled, layers, space.read("answer")[:, 0])


@dataclass(frozen=True)
class Averaging:
    """A layer that averages what lies under `source` at the points."""

    kernel: Kernel
    space: Space
    source: str

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, answer = self.space.at("x"), self.space.at("answer")
        held = state.told[..., self.space.at(self.source)].squeeze(-1)
        stream = state.stream.clone()
        stream[..., answer] = smoothed(self.kernel, state.told[..., x], held, state.stream[..., x]).unsqueeze(-1)
        return state.having(stream)
