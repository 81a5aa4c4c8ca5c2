"""Elitist evolution: offspring around a parent, the parent among them, and a next parent that is their mean by fitness.

Candidates are work tokens. Linear attention over the points and a bilinear layer give each its fitness, and softmax attention
over the candidates is selection: query · key is the fitness. Offsets of the offspring are part of the weights, so nothing is
drawn at run time (weighted recombination as in evolution strategies: Hansen 2016, arXiv 1604.00772, with fixed offsets instead
of sampled ones).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Gated, Layer, Neurons, constant, passing, softmax
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Beside, Stack


@dataclass(frozen=True)
class Evolution:
    """Generations of so many `candidates` at distance `size` · `decay`^generation, the squared error being softly selected.

    A candidate's share falls with exp(−error / (`temperature` · distance²)); offsets are drawn once from `seed`. Selection is
    soft, so the parent takes part in every generation, but the next one need not be better. Below a `steady` temperature the
    choice among candidates can be so close that rounding grows from generation to generation: then a network and its algorithm
    part.
    """

    candidates: int = 32
    size: float = 1.0
    decay: float = 0.9
    temperature: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        expect_between(self, "candidates", 1)
        for name in ("size", "decay", "temperature"):
            expect_between(self, name, 0)

    def offsets(self, dim: int, dtype: torch.dtype = torch.float64) -> Float[Tensor, "candidate dim"]:
        """Where candidates lie around the parent: the first is the parent, the others N(0, I / dim) and their mirror images."""
        generator = torch.Generator().manual_seed(self.seed)
        drawn = torch.randn(self.candidates // 2, dim, generator=generator, dtype=torch.float64) / dim**0.5
        return torch.cat([torch.zeros(1, dim), drawn, -drawn])[: self.candidates].to(dtype)

    def steady(self, dim: int, top: float) -> float:
        """The temperature from which on two near parents never part, where the largest eigenvalue of XᵀX / n is `top`.

        A parent's derivative by the one before is I − 2 / temperature · C XᵀX / n; no eigenvalue of C, the covariance of
        offsets under selection, is larger than the largest squared offset, so that nothing grows from top · that on.
        """
        return top * self.offsets(dim).square().sum(1).max().item()

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions of the parent after 0, 1, …, `steps` generations."""
        offsets = self.offsets(prompts.dim, prompts.xs.dtype)
        parent = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, parent)]
        for generation in range(steps):
            distance = self.size * self.decay**generation
            brood = parent.unsqueeze(1) + distance * offsets
            residual = torch.einsum("pcd,pnd->pcn", brood, prompts.xs) - prompts.ys.unsqueeze(1)
            shares = (-residual.square().mean(2) / (self.temperature * distance**2)).softmax(1)
            parent = torch.einsum("pc,pcd->pd", shares, brood)
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, parent))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """A work token a candidate; linear and softmax attention, bilinear and ReLU neurons, in 5 dim + 5 dimensions."""
        expect_size(dim, steps)
        sizes = {"x": dim, "y": 1, "w": dim, "offset": dim, "slope": dim, "rest": 1}
        space = Space.of(dtype, **sizes, fitness=1, parent=dim, answer=1, one=1)
        offsets = self.offsets(dim, dtype)
        rows = offsets @ (self.size * space.write("w") + space.write("offset"))
        layers = [self._generation(space, generation) for generation in range(steps)]
        layers[0] = (constant(space, "one"), *layers[0])
        stack = tuple(Layer(parts) for parts in layers)
        return Stack(space, Beside(rows), stack, space.read("answer")[:, 0], work=self.candidates)

    def _generation(self, space: Space, generation: int) -> tuple[Attention | Gated | Neurons, ...]:
        """Fitness, selection, offspring of the next generation, and the parent's answer."""
        distance = self.size * self.decay**generation
        w, one, answer = space.read("w"), space.read("one"), space.write("answer")
        told = space.read("x", "y")
        residual = torch.cat([w, -one], 1)
        collect = Attention(residual, told, told, space.write("slope", "rest"))
        ones = torch.ones(space.sized("x") + 1, 1, dtype=space.dtype)
        fitness = Gated(residual, space.read("slope", "rest"), -ones @ space.write("fitness"))
        key = space.read("fitness") / (self.temperature * distance**2)
        select = Attention(one, key, w, space.write("parent"), softmax, work=True, points=False)
        return (
            collect,
            fitness,
            select,
            self._offspring(space, distance * self.decay),
            Gated(w, space.read("x"), ones[1:] @ answer),
        )

    @staticmethod
    def _offspring(space: Space, distance: float) -> Neurons:
        """Neurons that put every candidate at the parent and its offset, and clear what this generation has computed."""
        cleared = ("w", "slope", "rest", "fitness", "parent", "answer")
        read = space.read(*cleared, "parent", "offset")
        write = torch.cat([-space.write(*cleared), space.write("w"), distance * space.write("w")])
        return passing(read, write)
