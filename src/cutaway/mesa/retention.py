"""What becomes of an iterate that is written into a network along a direction of its context."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.counted import Counted
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State
from cutaway.mesa.writes import Writes

WRITTEN = 48
"""So many held problems are written into."""

DIRECTIONS = 4
"""Along at most so many eigenvectors."""


@dataclass(frozen=True)
class Directions:
    """Eigenvectors of XᵀX/n of each problem, weak to strong, with their eigenvalues λ."""

    curvatures: Float[Tensor, "direction prompt"]
    vectors: Float[Tensor, "direction prompt dim"]

    @classmethod
    def of(cls, xs: Float[Tensor, "prompt point dim"]) -> Directions:
        """Up to four, evenly from the weakest to the strongest; the sign is that of the largest coordinate."""
        xs = xs.double()
        values, vectors = torch.linalg.eigh(torch.einsum("pnd,pne->pde", xs, xs) / xs.shape[1])
        chosen = torch.linspace(0, xs.shape[2] - 1, min(DIRECTIONS, xs.shape[2])).round().long()
        found = vectors[..., chosen].permute(2, 0, 1)
        largest = found.gather(2, found.abs().argmax(2, keepdim=True))
        return cls(values[:, chosen].T.clamp(min=0), found * largest.sign())


@dataclass(frozen=True)
class Retention:
    """The share of what was written along each eigenvector after layer 1, …, depth − 1 that is left in the final answers."""

    shares: Float[Tensor, "layer direction prompt"]
    weights: Float[Tensor, "direction prompt"]
    curvatures: Float[Tensor, "direction prompt"]

    @classmethod
    def of(cls, subject: Counted, prompts: Prompts, seen: list[State], final: Tensor, writes: Writes) -> Retention:
        """Write .3 standard deviations of the final answers into a copy of each state, for each direction, and run on."""
        few = prompts.take(slice(0, WRITTEN))
        along = Directions.of(few.xs)
        size = 0.3 * final.std(correction=0).clamp(min=1e-6)
        asked, told = (size * torch.einsum("kpd,ptd->kpt", along.vectors, at.double()) for at in (few.queries, few.xs))
        written = (told.flatten(0, 1), asked.flatten(0, 1), (size * along.vectors).flatten(0, 1))
        weights = asked.square().sum(2)
        shares = []
        for layer in range(1, subject.depth):
            state = repeated(seen[layer], few.count, len(along.vectors))
            after = subject.finish(writes.iterate(state, layer, *written), layer).unflatten(0, asked.shape[:2])
            moved = (after - final[: few.count]).clamp(-1e6, 1e6)
            shares.append((moved * asked).sum(2) / weights.clamp(min=1e-12))
        return cls(torch.stack(shares), weights, along.curvatures)

    def by_layer(self) -> Float[Tensor, "layer"]:
        """The mean share left of what was written after each layer."""
        return (self.shares * self.weights).sum((1, 2)) / self.weights.sum()

    def slopes(self) -> Float[Tensor, "layer"]:
        """How much smaller the share is where λ is one standard deviation larger."""
        weights = self.weights / self.weights.sum()
        apart = self.curvatures - (weights * self.curvatures).sum()
        deviation = (weights * apart.square()).sum().sqrt().clamp(min=1e-12)
        means = self.by_layer().view(-1, 1, 1)
        return -(weights * (self.shares - means) * apart).sum((1, 2)) / deviation


def repeated(state: State, count: int, times: int) -> State:
    """So many copies of the first few problems, one batch behind the other."""
    return state.having(state.stream[:count].repeat(times, 1, 1))
