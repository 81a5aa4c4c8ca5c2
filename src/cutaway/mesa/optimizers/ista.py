"""ISTA: a gradient step, then every coordinate of w is drawn `rate · penalty` towards 0 and stops there (Daubechies et al. 2004).

It minimises ‖X w − y‖² / 2n + penalty ‖w‖₁, the Lasso. One work token holds w: a head collects the slope from the points, ReLU
neurons draw towards 0, and a second head carries w·x to every token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, Neurons, erasing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Beside, Stack


@dataclass(frozen=True)
class ISTA:
    """Proximal gradient steps of length `rate` for sparse regression with `penalty` on the sum of |w|."""

    rate: float = 0.3
    penalty: float = 0.03

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "penalty", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            residual = torch.einsum("pnd,pd->pn", prompts.xs, weights) - prompts.ys
            moved = weights - self.rate / prompts.points * torch.einsum("pnd,pn->pd", prompts.xs, residual)
            weights = moved.sign() * (moved.abs() - self.rate * self.penalty).clamp(min=0)
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Two heads of linear attention, ReLU neurons and one work token, in 2 dim + 3 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, answer=1, w=dim, here=1)
        x, w, here, answer = (space.read(name) for name in ("x", "w", "here", "answer"))
        slope = Attention(here, space.read("y") - answer, x, self.rate * space.write("w"))
        spread = Attention(x, w, here, space.write("answer"), work=True, points=False)
        step = Layer((slope, self._shrinking(space), erasing(space, "answer"), spread))
        return Stack(space, Beside(space.write("here")), (step,) * steps, answer[:, 0], work=1)

    def _shrinking(self, space: Space) -> Neurons:
        """Neurons that add sign(w) max(|w| − rate · penalty, 0) − w to w."""
        w, dim = space.read("w"), space.sized("w")
        bias = torch.zeros(4 * dim, dtype=space.dtype)
        bias[: 2 * dim] = -self.rate * self.penalty
        out = space.write("w")
        return Neurons(torch.cat([w, -w, w, -w], 1), bias, torch.cat([out, -out, -out, out]))
