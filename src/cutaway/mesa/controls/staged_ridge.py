"""Ridge regression in two stages: one layer gathers Xᵀy at every place, a later one solves and answers. Nothing is repeated.

Layers act on each other's results, as in an iteration, but the answer is there all at once. The first stage writes, at every
token, what a step of gradient descent would; the second replaces it by the solution.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.controls.control import idle
from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class StagedRidge:
    """The minimiser of |X w − y|² + penalty · |w|²; the stages are the first layer and layer `second`."""

    penalty: float = 0.1
    second: int = 2

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Two layers do it, the others do nothing."""
        if not 2 <= self.second <= depth:
            raise ValueError(f"the second stage is to be layer {self.second} of {depth}; expected 2 to {depth}")
        space = Space.of(dtype, x=dim, y=1, moment=dim, answer=1)
        stages = {1: Gathering(space), self.second: Solving(self.penalty, space)}
        layers = tuple(stages.get(layer, idle) for layer in range(1, depth + 1))
        return Stack(space, labelled, layers, space.read("answer")[:, 0])


@dataclass(frozen=True)
class Gathering:
    """The first stage: Xᵀy at every token, and a first answer x · Xᵀy / n."""

    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, y, moment, answer = (self.space.at(name) for name in ("x", "y", "moment", "answer"))
        gathered = torch.einsum("pnd,pn->pd", state.told[..., x], state.told[..., y].squeeze(-1))
        stream = state.stream.clone()
        stream[..., moment] = gathered.unsqueeze(1)
        stream[..., answer] = (stream[..., x] * stream[..., moment]).sum(-1, keepdim=True) / state.tokens.points
        return state.having(stream)


@dataclass(frozen=True)
class Solving:
    """The second stage: what was gathered, divided by the points' second moments and the penalty."""

    penalty: float
    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, moment, answer = (self.space.at(name) for name in ("x", "moment", "answer"))
        points = state.told[..., x]
        gram = torch.einsum("pnd,pne->pde", points, points) + self.penalty * torch.eye(points.shape[-1]).to(points)
        weights = torch.linalg.solve(gram, state.stream[:, 0, moment])
        stream = state.stream.clone()
        stream[..., answer] = torch.einsum("ptd,pd->pt", stream[..., x], weights).unsqueeze(-1)
        return state.having(stream)
