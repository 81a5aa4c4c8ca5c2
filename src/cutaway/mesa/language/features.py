"""In-context classification over token sequences: a hidden direction decides which of two label tokens an input gets.

Every input token has a fixed random vector; an input is a few tokens, and its label the sign of w · the sum of their vectors,
with a new w and new label tokens for every prompt. A network can know the vectors only by having learned them, and w only from
the demonstrations. Part of the pairs of label tokens is never trained on. A pool of tasks, w with its pair of labels, is
*familiar*, in the manner of Raventós et al. 2023 (arXiv 2306.15063).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.mesa.language.shots import Layout, Shots

POOL = 104729
"""Offset of the seed that the pool of familiar tasks is drawn from."""


@dataclass(frozen=True)
class Features:
    """Prompts of `shots` demonstrations: inputs of `pieces` tokens of `inputs`, whose vectors have `dim` coordinates.

    Token 0 opens a prompt, then come the input tokens, then the `labels` label tokens. `pool` is how many tasks are familiar.
    """

    shots: int = 16
    pieces: int = 2
    inputs: int = 32
    dim: int = 2
    labels: int = 8
    pool: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("shots", "pieces", "inputs", "dim", "pool"):
            if getattr(self, name) < 1:
                raise ValueError(f"Features.{name} is {getattr(self, name)}; expected a positive integer")
        if self.labels < 4:
            raise ValueError(
                f"Features.labels is {self.labels}; expected at least 4, as some pairs are kept for novel tasks"
            )

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return 1 + self.inputs + self.labels

    @property
    def length(self) -> int:
        """Tokens of a prompt."""
        return 1 + self.shots * (self.pieces + 1) + self.pieces

    def vectors(self) -> Float[Tensor, "token dim"]:
        """The vector of every input token."""
        generator = torch.Generator().manual_seed(POOL + self.seed)
        return torch.randn(self.inputs, self.dim, generator=generator)

    def draw(self, count: int, seed: int, novel: bool = True) -> Shots:
        """Prompts of tasks that cannot have been trained on, w and the pair of labels both; or of familiar tasks."""
        generator = torch.Generator().manual_seed(seed)
        if novel:
            pairs = self.pairs(held=True)
            weights = torch.randn(count, self.dim, generator=generator)
            return self._written(weights, pairs[torch.randint(len(pairs), (count,), generator=generator)], generator)
        return self._familiar(count, generator)

    def training(self, count: int, seed: int, familiar: float) -> Shots:
        """Prompts to train on: new tasks with pairs of labels that are not kept back; about that share are familiar tasks."""
        generator = torch.Generator().manual_seed(seed)
        weights, pairs = self.tasks()
        which = torch.randint(len(pairs), (count,), generator=generator)
        known = (torch.rand(count, generator=generator) < familiar)[:, None]
        open_pairs = self.pairs(held=False)
        new = open_pairs[torch.randint(len(open_pairs), (count,), generator=generator)]
        fresh = torch.randn(count, self.dim, generator=generator)
        return self._written(
            torch.where(known, weights[which], fresh), torch.where(known, pairs[which], new), generator
        )

    def pairs(self, held: bool) -> Int[Tensor, "pair 2"]:
        """Ordered pairs of label tokens: those kept for novel tasks, or those trained on."""
        every = torch.cartesian_prod(torch.arange(self.labels), torch.arange(self.labels))
        every = every[every[:, 0] != every[:, 1]]
        kept = every.sum(1) % 4 == 1
        return every[kept if held else ~kept] + 1 + self.inputs

    def tasks(self) -> tuple[Float[Tensor, "task dim"], Int[Tensor, "task 2"]]:
        """The familiar tasks: w, and the pair of label tokens."""
        generator = torch.Generator().manual_seed(2 * POOL + self.seed)
        pairs = self.pairs(held=False)
        return torch.randn(self.pool, self.dim, generator=generator), pairs[
            torch.randperm(len(pairs), generator=generator)[: self.pool]
        ]

    def _familiar(self, count: int, generator: torch.Generator) -> Shots:
        weights, pairs = self.tasks()
        which = torch.arange(count) % self.pool
        return self._written(weights[which], pairs[which], generator, which)

    def _written(
        self,
        weights: Float[Tensor, "prompt dim"],
        pairs: Int[Tensor, "prompt 2"],
        generator: torch.Generator,
        which: Int[Tensor, "prompt"] | None = None,
    ) -> Shots:
        tokens = torch.randint(self.inputs, (len(weights), self.shots + 1, self.pieces), generator=generator)
        sides = self._sides(tokens, weights)
        ys = torch.where(sides > 0, 1, -1)
        return Layout(before=(0,)).written(tokens + 1, ys[:, :-1], pairs, ys[:, -1], which, which is None)

    def _sides(self, tokens: Int[Tensor, "prompt shot piece"], weights: Float[Tensor, "prompt dim"]) -> Tensor:
        return torch.einsum("nsd,nd->ns", self.vectors()[tokens].sum(2), weights)
