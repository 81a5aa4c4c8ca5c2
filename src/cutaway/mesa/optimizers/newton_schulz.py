"""Newton–Schulz: the inverse M of XᵀX / n by M ← 2 M − M (XᵀX / n) M, from M = rate · I; w = M Xᵀy / n (Schulz 1933).

Every token carries z = M x. A step is z ← 2 z − mean_i z_i (x_i·z) by one head of linear attention; another reads the prediction,
mean_i (z·x_i) y_i, anew: one that was carried along would double its error at every step. As nothing is read before the first
layer, the first step is w = rate · Xᵀy / n; then t steps are 2^(t − 1) steps of gradient descent of the same rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, passing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class NewtonSchulz:
    """Second-order steps from M = `rate` · I; it converges below 2 ÷ the largest eigenvalue of XᵀX / n.

    It takes points that span the space (as many as dimensions, or more): elsewhere M doubles at every step, rounding with it.
    """

    rate: float = 0.3

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions of w = 0, then of M Xᵀy / n for M after 0, 1, …, `steps` − 1 updates."""
        curvature = torch.einsum("pnd,pne->pde", prompts.xs, prompts.xs) / prompts.points
        aim = torch.einsum("pnd,pn->pd", prompts.xs, prompts.ys) / prompts.points
        inverse = self.rate * torch.eye(prompts.dim, dtype=aim.dtype, device=aim.device).expand_as(curvature)
        found = [prompts.queries.new_zeros(prompts.queries.shape[:2])]
        for _ in range(steps):
            found.append(torch.einsum("pqd,pde,pe->pq", prompts.queries, inverse, aim))
            inverse = 2 * inverse - inverse @ curvature @ inverse
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """ReLU neurons and two heads of linear attention, in 2 dim + 2 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, z=dim, answer=1)
        begin = passing(space.read("x"), self.rate * space.write("z"))
        double = passing(space.read("z", "answer"), torch.cat([space.write("z"), -space.write("answer")]))
        update = Attention(space.read("z"), space.read("x"), space.read("z"), -0.25 * space.write("z"))
        answer = Attention(space.read("z"), space.read("x"), space.read("y"), space.write("answer"))
        layers = (Layer((begin, answer)), *(Layer((double, update, answer)),) * (steps - 1))
        return Stack(space, labelled, layers, space.read("answer")[:, 0])
