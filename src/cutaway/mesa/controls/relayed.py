"""Any control with its labels handed on: where its layers read them nothing lies until a layer before them has put them there.

From a blank state no other layer sees a label, so that none is found to solve alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import turned
from cutaway.mesa.subject import State


def relayed(stack: Stack) -> Stack:
    """The network behind one layer more, which hands it the labels; it answers as before.

    Error: a network that is turned already.
    """
    if stack.basis is not None:
        raise ValueError("the network is turned already; expected one in named coordinates: turn it afterwards")
    space = Space((*stack.space.sizes, ("told", 1)), stack.space.dtype)
    within = torch.eye(stack.space.width, space.width, dtype=space.dtype)
    layers = (Handing(space), *(turned(layer, within) for layer in stack.layers))

    def enter(prompts: Prompts, wider: Space) -> Float[Tensor, "prompt token width"]:
        stream = stack.enter(prompts, stack.space) @ within
        stream[..., wider.at("told")] = stream[..., wider.at("y")]
        stream[..., wider.at("y")] = 0
        return stream

    return replace(stack, space=space, enter=enter, layers=layers, read=stack.read @ within)


@dataclass(frozen=True)
class Handing:
    """The layer that puts labels where they are read."""

    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        stream = state.stream.clone()
        stream[..., self.space.at("y")] = stream[..., self.space.at("told")]
        return state.having(stream)
