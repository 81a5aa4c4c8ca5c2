"""The parts that reference networks are compiled into: attention and neurons that read and write a residual stream linearly.

Every part gives what is *added* to the stream. As it reads and writes through matrices only, a part can be written in any other
basis of the stream: `turned`. Weights act from the right, [in, out]. Every token sees the labelled points and the work tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.reference.space import Space
from cutaway.mesa.subject import State

Stream = Float[Tensor, "prompt token width"]
Scores = Float[Tensor, "prompt token seen"]


class Part(Protocol):
    """Something that reads the stream and adds to it."""

    def added(self, state: State) -> Stream:
        """What the part adds to the stream."""
        ...

    def turned(self, basis: Float[Tensor, "width turned"]) -> Part:
        """The same part for a stream that is written in another orthonormal basis: stream @ basis."""
        ...


def linear(scores: Scores) -> Scores:
    """Scores as they are, averaged over what is seen: attention without softmax (von Oswald et al. 2023, arXiv 2212.07677)."""
    return scores


def exponential(scores: Scores) -> Scores:
    """exp(score): an unnormalised softmax, as in kernel regression."""
    return scores.exp()


def softmax(scores: Scores) -> Scores:
    """Shares that sum to 1 over what is seen."""
    return scores.softmax(-1)


@dataclass(frozen=True)
class Attention:
    """One head: `weigh(stream Q · stream K) @ stream V`, of points only unless `work`; an average unless the weights are
    shares.

    Without `work`, only labelled points are seen, and unnormalised weights are divided by their number; with it, work tokens
    are seen beside them and nothing is divided. Without `points`, work tokens alone are seen.
    """

    query: Float[Tensor, "width key"]
    key: Float[Tensor, "width key"]
    value: Float[Tensor, "width head"]
    out: Float[Tensor, "head width"]
    weigh: Callable[[Scores], Scores] = linear
    work: bool = False
    points: bool = True

    def __post_init__(self) -> None:
        if not (self.work or self.points):
            raise ValueError("a head with work=False and points=False sees nothing; expected one of them to be True")

    def seen(self, state: State) -> Stream:
        """The tokens that are looked at."""
        spare = state.stream[:, state.tokens.spare]
        if not self.points:
            return spare
        return torch.cat([state.told, spare], 1) if self.work else state.told

    def added(self, state: State) -> Stream:
        """What the head adds to the stream."""
        seen = self.seen(state)
        scores = torch.einsum("ptk,psk->pts", state.stream @ self.query, seen @ self.key)
        share = 1.0 if self.work or self.weigh is softmax else 1 / state.tokens.points
        return torch.einsum("pts,psh->pth", self.weigh(scores) * share, seen @ self.value) @ self.out

    def turned(self, basis: Float[Tensor, "width turned"]) -> Attention:
        """The same head for a stream in another basis."""
        back = basis.T
        query, key, value = back @ self.query, back @ self.key, back @ self.value
        return replace(self, query=query, key=key, value=value, out=self.out @ basis)


@dataclass(frozen=True)
class Neurons:
    """`act(stream W + bias) @ out`: an MLP layer."""

    inward: Float[Tensor, "width neuron"]
    bias: Float[Tensor, "neuron"]
    out: Float[Tensor, "neuron width"]
    act: Callable[[Tensor], Tensor] = torch.relu

    def added(self, state: State) -> Stream:
        """What the neurons add to the stream."""
        return self.act(state.stream @ self.inward + self.bias) @ self.out

    def turned(self, basis: Float[Tensor, "width turned"]) -> Neurons:
        """The same neurons for a stream in another basis."""
        return Neurons(basis.T @ self.inward, self.bias, self.out @ basis, self.act)


@dataclass(frozen=True)
class Gated:
    """`(stream A * stream B) @ out`: a bilinear MLP, a gated one without a squashing function (Shazeer 2020, arXiv 2002.05202)."""

    left: Float[Tensor, "width neuron"]
    right: Float[Tensor, "width neuron"]
    out: Float[Tensor, "neuron width"]

    def added(self, state: State) -> Stream:
        """What the neurons add to the stream."""
        return (state.stream @ self.left * (state.stream @ self.right)) @ self.out

    def turned(self, basis: Float[Tensor, "width turned"]) -> Gated:
        """The same neurons for a stream in another basis."""
        return Gated(basis.T @ self.left, basis.T @ self.right, self.out @ basis)


@dataclass(frozen=True)
class Normalised:
    """`stream V @ out / √(stream A · stream B)`: a vector divided by its length in a metric, where B is A in that metric.

    No stock transformer has such a unit: LayerNorm and RMSNorm divide by the length in the metric of the stream, softmax by a
    sum of exponentials. Layers that solve a regression by conjugate gradients have a division like it (MesaNet: von Oswald et
    al. 2025, arXiv 2506.05233). Where A · B is `floor` or less nothing is added.
    """

    pair: tuple[Float[Tensor, "width metric"], Float[Tensor, "width metric"]]
    value: Float[Tensor, "width moved"]
    out: Float[Tensor, "moved width"]
    floor: float

    def added(self, state: State) -> Stream:
        """What the unit adds to the stream."""
        left, right = (state.stream @ side for side in self.pair)
        scale = inverse_root((left * right).sum(-1, keepdim=True), self.floor)
        return scale * (state.stream @ self.value) @ self.out

    def turned(self, basis: Float[Tensor, "width turned"]) -> Normalised:
        """The same unit for a stream in another basis."""
        left, right = self.pair
        return replace(self, pair=(basis.T @ left, basis.T @ right), value=basis.T @ self.value, out=self.out @ basis)


def inverse_root(square: Float[Tensor, "*many"], floor: float) -> Float[Tensor, "*many"]:
    """1 / √square, and 0 where the square is `floor` or less."""
    some = square > floor
    return torch.where(some, torch.where(some, square, 1.0).rsqrt(), 0.0)


def passing(read: Float[Tensor, "width read"], write: Float[Tensor, "read width"]) -> Neurons:
    """Neurons that add stream @ read @ write, as they are: relu(u) − relu(−u) = u."""
    return Neurons(torch.cat([read, -read], 1), read.new_zeros(2 * read.shape[1]), torch.cat([write, -write]))


def erasing(space: Space, *names: str) -> Neurons:
    """Neurons that set the coordinates of these names to 0."""
    return passing(space.read(*names), -space.write(*names))


def constant(space: Space, name: str) -> Neurons:
    """Neurons that add 1 to a coordinate of every token: a bias."""
    return Neurons(torch.zeros(space.width, 1, dtype=space.dtype), torch.ones(1, dtype=space.dtype), space.write(name))


@dataclass(frozen=True)
class Layer:
    """Parts one after the other, each reading what the ones before have added to."""

    parts: tuple[Part, ...]

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        for part in self.parts:
            state = state.having(state.stream + part.added(state))
        return state

    def turned(self, basis: Float[Tensor, "width turned"]) -> Layer:
        """The same layer for a stream in another basis."""
        return Layer(tuple(part.turned(basis) for part in self.parts))
