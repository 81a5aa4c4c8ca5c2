"""Small watched networks for the tests of signs."""

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from cutaway.mesa.controls import RandomNetwork
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference import Stack
from cutaway.mesa.signs.battery import Battery, read
from cutaway.mesa.subject import State, Subject
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched

TASK, RATE, DEPTH = Regression(4, 12), 0.3, 5


@dataclass(frozen=True)
class Turned:
    """Any subject with its stream in another basis of more dimensions."""

    subject: Subject
    basis: Tensor

    @property
    def depth(self) -> int:
        return self.subject.depth

    def start(self, prompts: Prompts) -> State:
        return self._there(self.subject.start(prompts))

    def run(self, state: State, first: int, last: int) -> State:
        return self._there(self.subject.run(self._back(state), first, last))

    def answer(self, state: State) -> Tensor:
        return self.subject.answer(self._back(state))

    def _there(self, state: State) -> State:
        return state.having(state.stream @ self.basis)

    def _back(self, state: State) -> State:
        return state.having(state.stream @ self.basis.T)


def turned(subject: Subject) -> Turned:
    """The subject in a random basis of three dimensions more."""
    stream = subject.start(TASK.draw(1, 7001)).stream
    square = torch.randn(*[stream.shape[-1] + 3] * 2, generator=torch.Generator().manual_seed(7002), dtype=stream.dtype)
    return Turned(subject, torch.linalg.qr(square).Q[: stream.shape[-1]])


def watching(subject: Subject) -> Watched:
    """The subject on a few problems."""
    return Watched.of(subject, TASK, 7003, fit=32, held=16)


def descending(rate: float = RATE) -> Stack:
    """Compiled gradient descent."""
    return GradientDescent(rate).compiled(TASK.dim, DEPTH)


def drawn() -> Subject:
    """A network of random weights."""
    return RandomNetwork().compiled(TASK.dim, DEPTH)


@cache
def descent_read() -> Battery:
    """What every sign reads of compiled gradient descent."""
    return read(watching(descending()))


@cache
def random_read() -> Battery:
    """What every sign reads of random weights."""
    return read(watching(drawn()))


def with_layer(stack: Stack, layer: int, **changed: Tensor) -> Stack:
    """The network with other weights in the first part of one layer (1: the first)."""
    layers = list(stack.layers)
    parts = layers[layer - 1].parts
    layers[layer - 1] = replace(layers[layer - 1], parts=(replace(parts[0], **changed), *parts[1:]))
    return replace(stack, layers=tuple(layers))
