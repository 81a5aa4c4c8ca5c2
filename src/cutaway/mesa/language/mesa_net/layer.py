"""A layer that solves the regression of values on keys by conjugate gradients, for every query: the layer of MesaNet.

Source: von Oswald et al. 2025, "MesaNet: sequence modeling by locally optimal test-time training" (arXiv 2506.05233). With keys k
and values v of what is seen, H = Σ k kᵀ / n and G = Σ v kᵀ / n, a query q reads G q*, where (H + Λ) q* = q. Left out are their
forget and input gates, the short convolution, and keys of length 1: in a regression the length of x matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.mesa.subject import Tokens

Heads = Float[Tensor, "prompt head token key"]
TINY = 1e-12
"""Squared lengths below are taken as this: nothing is left to solve."""


@dataclass(frozen=True)
class Solving:
    """What conjugate gradients hold of every query after some steps: the solution so far, what is left, the next direction."""

    found: Heads
    left: Heads
    way: Heads


@dataclass(frozen=True)
class Seen:
    """The regression that every query is asked of: H + Λ, and G."""

    curvature: Float[Tensor, "prompt head key other"]
    cross: Float[Tensor, "prompt head value key"]

    def step(self, at: Solving) -> Solving:
        """One step of conjugate gradients (Hestenes, Stiefel 1952)."""
        image = torch.einsum("phkj,phtj->phtk", self.curvature, at.way)
        square = at.left.square().sum(-1, keepdim=True)
        length = square / (at.way * image).sum(-1, keepdim=True).clamp(min=TINY)
        left = at.left - length * image
        share = left.square().sum(-1, keepdim=True) / square.clamp(min=TINY)
        return Solving(at.found + length * at.way, left, left + share * at.way)

    def read(self, solution: Heads) -> Float[Tensor, "prompt head token value"]:
        """What solutions read: G q*."""
        return torch.einsum("phvk,phtk->phtv", self.cross, solution)


class MesaLayer(nn.Module):
    """Heads of `key` dimensions that solve by so many `steps`; with 0 steps a query reads G q, linear attention.

    The penalty Λ is learned, one for every head and key dimension, and more than 0.01.
    """

    def __init__(self, width: int, heads: int, key: int, steps: int) -> None:
        super().__init__()
        if steps < 0:
            raise ValueError(f"{steps} steps of conjugate gradients were asked; expected 0 (linear attention) or more")
        self.heads, self.steps = heads, steps
        self.query, self.key, self.value = (nn.Linear(width, heads * key, bias=False) for _ in range(3))
        self.out = nn.Linear(heads * key, width, bias=False)
        self.penalty = nn.Parameter(torch.full((heads, key), -2.0))

    def forward(self, x: Float[Tensor, "prompt token width"], tokens: Tokens) -> Float[Tensor, "prompt token width"]:
        """What the heads add to the stream; everything sees the points."""
        seen, at = self.seen(x, tokens), self.begun(x)
        for _ in range(self.steps):
            at = seen.step(at)
        return self.written(seen, at)

    def seen(self, x: Float[Tensor, "prompt token width"], tokens: Tokens) -> Seen:
        """The regression over the points."""
        k, v = self._split(self.key(x[:, tokens.point])), self._split(self.value(x[:, tokens.point]))
        curvature = torch.einsum("phtk,phtj->phkj", k, k) / tokens.points
        penalty = torch.diag_embed(nn.functional.softplus(self.penalty) + 0.01)
        return Seen(curvature + penalty, torch.einsum("phtv,phtk->phvk", v, k) / tokens.points)

    def begun(self, x: Float[Tensor, "prompt token width"]) -> Solving:
        """Before the first step: nothing is found, all of the query is left."""
        q = self._split(self.query(x))
        return Solving(torch.zeros_like(q), q, q)

    def written(self, seen: Seen, at: Solving) -> Float[Tensor, "prompt token width"]:
        """What the layer adds to the stream if it stops here; without a step the query itself is taken for the solution."""
        read = seen.read(at.found if self.steps else at.left)
        return self.out(rearrange(read, "prompt head token value -> prompt token (head value)"))

    def _split(self, y: Tensor) -> Heads:
        return rearrange(y, "prompt token (head key) -> prompt head token key", head=self.heads)
