"""Gradient descent on functions: f ← f − (rate / n) Σ_i (f(x_i) − y_i) k(x_i, ·), k the Gaussian kernel (Yao et al. 2007).

One head of attention with exp(score), not normalised, is one step: −|x|² / 2b² is a coordinate of its own, so that the score of two
tokens is −|x − x'|² / 2b².
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Gated, Layer, constant, exponential
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class KernelGradientDescent:
    """Steps of length `rate` with the kernel exp(−|x − x'|² / 2 bandwidth²); it converges below 2, as k ≤ 1."""

    rate: float = 1.0
    bandwidth: float = 2.0

    def __post_init__(self) -> None:
        expect_between(self, "rate", 0)
        expect_between(self, "bandwidth", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        own, asked = self.kernel(prompts.xs, prompts.xs), self.kernel(prompts.queries, prompts.xs)
        shares = torch.zeros_like(prompts.ys)
        found = [torch.einsum("pqn,pn->pq", asked, shares)]
        for _ in range(steps):
            residual = torch.einsum("pmn,pn->pm", own, shares) - prompts.ys
            shares = shares - self.rate / prompts.points * residual
            found.append(torch.einsum("pqn,pn->pq", asked, shares))
        return torch.stack(found)

    def kernel(
        self, left: Float[Tensor, "prompt one dim"], right: Float[Tensor, "prompt other dim"]
    ) -> Float[Tensor, "prompt one other"]:
        """k of every two."""
        apart = (left.unsqueeze(2) - right.unsqueeze(1)).square().sum(3)
        return (-apart / (2 * self.bandwidth**2)).exp()

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Exponential attention, in dim + 3 dimensions; the first layer squares x beforehand."""
        expect_size(dim, steps)
        space = Space.of(dtype, x=dim, y=1, norm=1, one=1)
        x, y = space.read("x"), space.read("y")
        halves = torch.full((dim, 1), -1 / (2 * self.bandwidth**2), dtype=dtype)
        begin = (constant(space, "one"), Gated(x, x, halves @ space.write("norm")))
        query = torch.cat([x / self.bandwidth, space.read("norm", "one")], 1)
        key = torch.cat([x / self.bandwidth, space.read("one", "norm")], 1)
        step = Attention(query, key, y, -self.rate * space.write("y"), exponential)
        layers = (Layer((*begin, step)), *(Layer((step,)),) * (steps - 1))
        return Stack(space, labelled, layers, -y[:, 0])
