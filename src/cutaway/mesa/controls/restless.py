"""Spare coordinates that something goes on in at every layer, without touching the answer: idle layers then do not stand still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference import Layer, Neurons, Space, Stack
from cutaway.mesa.reference.stack import turned
from cutaway.mesa.subject import State


def restless(stack: Stack, spare: int, seed: int) -> Stack:
    """The network with so many more coordinates, to which random neurons of every layer write what they read anywhere.

    It answers as before. Error: a network that is turned already.
    """
    if stack.basis is not None:
        raise ValueError("the network is turned already; expected one in named coordinates: turn it afterwards")
    space = Space((*stack.space.sizes, ("spare", spare)), stack.space.dtype)
    generator = torch.Generator().manual_seed(seed)
    within = torch.eye(stack.space.width, space.width, dtype=space.dtype)
    layers = tuple(_with(turned(layer, within), _neurons(space, generator)) for layer in stack.layers)

    def enter(prompts: Prompts, wider: Space) -> Float[Tensor, "prompt token width"]:
        return stack.enter(prompts, stack.space) @ within

    return replace(stack, space=space, enter=enter, layers=layers, read=stack.read @ within)


@dataclass(frozen=True)
class Then:
    """One layer after another."""

    first: Callable[[State], State]
    second: Callable[[State], State]

    def __call__(self, state: State) -> State:
        """The state after both."""
        return self.second(self.first(state))


def _with(layer: Callable[[State], State], neurons: Neurons) -> Callable[[State], State]:
    if isinstance(layer, Layer):
        return Layer((*layer.parts, neurons))
    return Then(layer, Layer((neurons,)))


def _neurons(space: Space, generator: torch.Generator) -> Neurons:
    """As many neurons as spare coordinates, that read every coordinate."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(space.dtype)

    spare = space.at("spare").stop - space.at("spare").start
    inward = normal(space.width, spare) / sqrt(space.width)
    return Neurons(inward, normal(spare), normal(spare, spare) / sqrt(spare) @ space.write("spare"), torch.tanh)
