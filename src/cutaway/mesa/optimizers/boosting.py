"""Boosting of a kernel smoother: what is left of the labels is smoothed and added, f ← f + rate · smooth(y − f).

One head of softmax attention is one step, with shares softmax_i(x·x_i / bandwidth²) of what the points have left: gradient descent
on functions in the geometry of a stock transformer's attention (Bühlmann and Yu 2003, "Boosting with the L2 loss").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, softmax
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class Boosting:
    """Steps of length `rate` with the smoother softmax_i(x·x_i / bandwidth²)."""

    rate: float = 1.0
    bandwidth: float = 1.0

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "bandwidth", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        own, asked = self._shares(prompts.xs, prompts.xs), self._shares(prompts.queries, prompts.xs)
        fitted, answers = torch.zeros_like(prompts.ys), torch.zeros_like(prompts.answers)
        found = [answers]
        for _ in range(steps):
            residual = prompts.ys - fitted
            fitted = fitted + self.rate * torch.einsum("pmn,pn->pm", own, residual)
            answers = answers + self.rate * torch.einsum("pqn,pn->pq", asked, residual)
            found.append(answers)
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Softmax attention, one head a layer, in dim + 1 dimensions."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1)
        x = space.read("x") / self.bandwidth
        step = Layer((Attention(x, x, space.read("y"), -self.rate * space.write("y"), softmax),))
        return Stack(space, labelled, (step,) * steps, -space.read("y")[:, 0])

    def _shares(
        self, left: Float[Tensor, "prompt one dim"], right: Float[Tensor, "prompt other dim"]
    ) -> Float[Tensor, "prompt one other"]:
        return (torch.einsum("pmd,pnd->pmn", left, right) / self.bandwidth**2).softmax(2)
