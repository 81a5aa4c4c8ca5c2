"""A dense linear layer that leaves out the products with its dead weights: the same parameters, fewer operations."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from cutaway.dial.sparse.linear import SHORTEST_ROW
from cutaway.dial.sparse.product import product
from cutaway.dial.sparse.support import Support


class OnSupport(nn.Module):
    """Stands for an `nn.Linear` of which only the weights of a mask live, the others being 0.

    It holds the parameters of `linear` themselves, under their names: whoever trains, checks or saves them sees the dense
    layer. `mask` is read again after every dense step, which is one in which dead weights get their gradient too; in all others
    it is 0. `feature_major` is as in `SparseLinear`, which holds its live weights alone and cannot regrow.
    """

    def __init__(self, linear: nn.Linear, mask: Bool[Tensor, "row column"]) -> None:
        super().__init__()
        self.out_features, self.in_features = linear.weight.shape
        self.weight, self.bias = linear.weight, linear.bias
        self.mask, self.feature_major = mask, False
        self.sparse: tuple[Support, Tensor] | None = None

    def turn(self, dense: bool) -> None:
        """What the next pass is: dense, or with the live weights of the mask as it is now."""
        if dense:
            self.sparse = None
        elif self.sparse is None:
            self.sparse = Support.of(self.mask), self.mask.flatten().nonzero()[:, 0]

    def forward(self, x: Float[Tensor, "*batch position column"]) -> Float[Tensor, "*batch position row"]:
        if self.sparse is None:
            return F.linear(x, self.weight, self.bias)
        support, places = self.sparse
        turned = self.feature_major and x.ndim > 1 and x.shape[-2] >= SHORTEST_ROW
        return product(x, Live.apply(self.weight, places), support, self.bias, turned)

    def extra_repr(self) -> str:
        """What print shows."""
        return f"in_features={self.in_features}, out_features={self.out_features}, sparse={self.sparse is not None}"


class Live(torch.autograd.Function):
    """The entries of a matrix at `places`, each of which is there once; the others get a gradient of 0."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, places: Int[Tensor, "live"]) -> Tensor:
        ctx.shape, ctx.places = weight.shape, places
        return weight.flatten()[places]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        # Not autograd's own way, which adds up: no place comes twice.
        return grad.new_zeros(ctx.shape.numel()).index_copy_(0, ctx.places, grad).view(ctx.shape), None
