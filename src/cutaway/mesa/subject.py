"""What a network has to offer to be screened for an optimizer: its states, to be run on from any layer, and its answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts


class TooShallow(ValueError):
    """A network of so few layers that one step cannot be told from a smoother."""


@dataclass(frozen=True)
class Tokens:
    """Which rows of a state are what: labelled points first, then queries, then `work` tokens that hold neither."""

    points: int
    queries: int
    work: int = 0

    @property
    def point(self) -> slice:
        """The rows of labelled points."""
        return slice(0, self.points)

    @property
    def query(self) -> slice:
        """The rows of queries."""
        return slice(self.points, self.points + self.queries)

    @property
    def spare(self) -> slice:
        """The rows of work tokens."""
        return slice(self.points + self.queries, self.count)

    @property
    def count(self) -> int:
        """All tokens."""
        return self.points + self.queries + self.work


@dataclass(frozen=True)
class State:
    """The residual stream between two layers, and which token is which; `inputs` are what a network needs beside it."""

    stream: Float[Tensor, "prompt token width"]
    tokens: Tokens
    inputs: Any = None

    def having(self, stream: Float[Tensor, "prompt token width"]) -> State:
        """The same tokens with another stream."""
        return replace(self, stream=stream)

    @property
    def asked(self) -> Float[Tensor, "prompt query width"]:
        """The rows of the queries."""
        return self.stream[:, self.tokens.query]

    @property
    def told(self) -> Float[Tensor, "prompt point width"]:
        """The rows of the labelled points."""
        return self.stream[:, self.tokens.point]


class Subject(Protocol):
    """A network that answers queries after labelled points, open between its layers.

    A query may depend on the points but not on other queries, so that many can be asked at once. Signs use nothing but `depth`
    and these three functions; that no rotation of the stream moves them is tested of each sign.
    """

    @property
    def depth(self) -> int:
        """How many layers."""
        ...

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        ...

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first` (0: before the first); 0 ≤ first ≤ last ≤ depth."""
        ...

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers, given the state after its last layer."""
        ...


def states(subject: Subject, prompts: Prompts) -> list[State]:
    """The states after 0, 1, …, depth layers."""
    found = [subject.start(prompts)]
    for layer in range(subject.depth):
        found.append(subject.run(found[-1], layer, layer + 1))
    return found


def answers(subject: Subject, prompts: Prompts) -> Float[Tensor, "prompt query"]:
    """The network's answers."""
    return subject.answer(subject.run(subject.start(prompts), 0, subject.depth))
