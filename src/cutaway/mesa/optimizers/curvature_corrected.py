"""GD++: gradient descent that flattens the problem while it solves it, x ← x − (flatten / n) Xᵀ X x before the next step.

What linear attention learns to do in several layers (von Oswald et al. 2023, arXiv 2212.07677). Two heads read the same
stream: one takes the step, one multiplies every x by I − flatten · XᵀX / n, so that large eigenvalues fall behind.
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
class CurvatureCorrected:
    """Steps of length `rate` on points that every step multiplies by I − `flatten` · XᵀX / n."""

    rate: float = 0.3
    flatten: float = 0.05

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "flatten", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps: of w in the flattened coordinates F x, where w·(F x) changes with F."""
        xs, queries, left = prompts.xs, prompts.queries, prompts.ys
        found = [queries.new_zeros(queries.shape[:2])]
        for _ in range(steps):
            slope = torch.einsum("pnd,pn->pd", xs, left) / prompts.points
            left = left - self.rate * torch.einsum("pnd,pd->pn", xs, slope)
            found.append(found[-1] + self.rate * torch.einsum("pqd,pd->pq", queries, slope))
            curvature = torch.einsum("pnd,pne->pde", xs, xs) / prompts.points
            xs, queries = xs - self.flatten * xs @ curvature, queries - self.flatten * queries @ curvature
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Two heads of linear attention a layer, in dim + 1 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1)
        x = space.read("x")
        step = Attention(x, x, space.read("y"), -self.rate * space.write("y"))
        flatten = Attention(x, x, x, -self.flatten * space.write("x"))
        return Stack(space, labelled, (Layer((step, flatten)),) * steps, -space.read("y")[:, 0])
