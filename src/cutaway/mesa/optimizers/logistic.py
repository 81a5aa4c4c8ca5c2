"""Gradient descent on the logistic loss of labels −1 and 1, from w = 0: w ← w + (rate / 2n) Xᵀ(y − tanh(X w / 2)).

Its prediction is the label expected, tanh(w·x / 2). Linear attention adds to every token's w·x what its points have left,
y − tanh(w·x / 2), and neurons with tanh take the new expectation.
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
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class LogisticGradientDescent:
    """Steps of length `rate` down the mean logistic loss; it converges below 8 ÷ the largest eigenvalue of XᵀX / n."""

    rate: float = 1.0

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """The labels expected after 0, 1, …, `steps` steps, between −1 and 1."""
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            margin = prompts.ys * torch.einsum("pnd,pd->pn", prompts.xs, weights)
            slope = -torch.einsum("pnd,pn->pd", prompts.xs, prompts.ys * torch.sigmoid(-margin)) / prompts.points
            weights = weights - self.rate * slope
            found.append(2 * torch.sigmoid(torch.einsum("pqd,pd->pq", prompts.queries, weights)) - 1)
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention and neurons with tanh, in dim + 3 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, logit=1, expected=1)
        expected = space.read("expected")
        slope = self.rate / 2 * space.write("logit")
        step = Attention(space.read("x"), space.read("x"), space.read("y") - expected, slope)
        squash = Neurons(space.read("logit") / 2, torch.zeros(1, dtype=dtype), space.write("expected"), torch.tanh)
        layer = Layer((step, erasing(space, "expected"), squash))
        return Stack(space, labelled, (layer,) * steps, expected[:, 0])
