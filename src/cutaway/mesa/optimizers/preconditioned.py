"""Gradient descent with a fixed preconditioner: w ← w − (rate / n) P Xᵀ(X w − y), P the inverse of the variances expected.

One head of linear attention whose query is P x. Trained linear attention finds such a P, that of its training problems (Ahn et al.
2023, arXiv 2306.00297).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class PreconditionedGradientDescent:
    """Steps of length `rate` in coordinates scaled to variance 1; `variances` are those expected of each (empty: all 1)."""

    rate: float = 0.3
    variances: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        if any(variance <= 0 for variance in self.variances):
            raise ValueError(f"PreconditionedGradientDescent.variances are {self.variances}; expected positive numbers")

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        scale = self.preconditioner(prompts.dim, prompts.xs.dtype)
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            residual = torch.einsum("pnd,pd->pn", prompts.xs, weights) - prompts.ys
            slope = torch.einsum("pnd,pn->pd", prompts.xs, residual) / prompts.points
            weights = weights - self.rate * slope @ scale
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention, one head a layer, in dim + 1 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1)
        query = space.read("x") @ self.preconditioner(dim, dtype)
        step = Layer((Attention(query, space.read("x"), space.read("y"), -self.rate * space.write("y")),))
        return Stack(space, labelled, (step,) * steps, -space.read("y")[:, 0])

    def preconditioner(self, dim: int, dtype: torch.dtype = torch.float64) -> Float[Tensor, "dim dim"]:
        """P. Errors: problems of another dimension than there are variances."""
        if self.variances and len(self.variances) != dim:
            raise ValueError(
                f"{len(self.variances)} variances were given for problems of {dim} dimensions; expected {dim}"
            )
        return torch.diag(1 / torch.tensor(self.variances or (1.0,) * dim, dtype=dtype))
