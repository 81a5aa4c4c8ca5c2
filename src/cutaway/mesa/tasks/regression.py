"""In-context linear regression: points x ~ N(0, C), labels w·x + noise, a new w for every problem.

Source: Garg et al. 2022, "What can transformers learn in-context?" (arXiv 2208.01066); the pool of tasks is of Raventós et al.
2023 (arXiv 2306.15063).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts

POOL = 104729
"""Offset of the seed that a pool of tasks is drawn from."""


@dataclass(frozen=True)
class Regression:
    """Linear regression in `dim` dimensions from `points` labelled points, asked at `queries` places.

    `noise` is the standard deviation of a label's error; `condition` the condition number of the points' covariance, whose
    eigenvalues fall geometrically and have mean 1; `nonzero` how many coordinates of w are not 0 (None: all); `pool` of how many
    tasks w is drawn (None: every problem has a new one), which ones says `pool_seed`.
    """

    dim: int = 4
    points: int = 12
    queries: int = 8
    noise: float = 0.1
    condition: float = 1.0
    nonzero: int | None = None
    pool: int | None = None
    pool_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dim", "points", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"Regression.{name} is {getattr(self, name)}; expected a positive integer")
        if self.noise < 0 or self.condition < 1:
            raise ValueError(f"noise={self.noise}, condition={self.condition}; expected noise ≥ 0 and condition ≥ 1")
        if self.nonzero is not None and not 1 <= self.nonzero <= self.dim:
            raise ValueError(f"Regression.nonzero is {self.nonzero}; expected 1 to {self.dim}, or None for all")
        if self.pool is not None and self.pool < 1:
            raise ValueError(
                f"Regression.pool is {self.pool}; expected a positive number of tasks, or None for no pool"
            )

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many problems [prompt, point, dim], in float64."""
        generator = torch.Generator().manual_seed(seed)
        scale = self.spectrum().sqrt()
        xs = _normal(generator, count, self.points, self.dim) * scale
        queries = _normal(generator, count, self.queries, self.dim) * scale
        weights = self._weights(count, generator) if novel or self.pool is None else self._known(count, generator)
        answers = torch.einsum("pqd,pd->pq", queries, weights)
        ys = torch.einsum("pnd,pd->pn", xs, weights) + self.noise * _normal(generator, count, self.points)
        return Prompts(xs, ys, queries, answers, weights, novel or self.pool is None)

    def spectrum(self) -> Float[Tensor, "dim"]:
        """The eigenvalues of the points' covariance, largest first; their mean is 1."""
        values = torch.logspace(0, -1, self.dim, base=self.condition, dtype=torch.float64)
        return values / values.mean()

    def tasks(self) -> Float[Tensor, "task dim"]:
        """The pool's weights."""
        if self.pool is None:
            raise ValueError("this regression has no pool of tasks: every problem has a new one; give pool=M")
        return self._weights(self.pool, torch.Generator().manual_seed(POOL + self.pool_seed))

    def _known(self, count: int, generator: torch.Generator) -> Float[Tensor, "prompt dim"]:
        pool = self.tasks()
        return pool[torch.randint(len(pool), (count,), generator=generator)]

    def _weights(self, count: int, generator: torch.Generator) -> Float[Tensor, "prompt dim"]:
        weights = _normal(generator, count, self.dim)
        if self.nonzero is None:
            return weights / sqrt(self.dim)
        order = torch.rand(count, self.dim, generator=generator).argsort(1).argsort(1)
        return weights * (order < self.nonzero) / sqrt(self.nonzero)


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
