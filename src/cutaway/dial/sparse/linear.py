"""A linear layer that holds, computes and trains its live weights only."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cutaway.dial.sparse.product import product
from cutaway.dial.sparse.support import Support

SHORTEST_ROW = 32
"""Positions of a sequence below which rows are too short to be worth their own memory."""


class SparseLinear(nn.Module):
    """x Wᵀ + bias like `nn.Linear`, with W fixed to a support: same input, same output, same gradients on live weights.

    `values` [live, 1] are the live weights, row by row. (A column, because optimisers take what has one axis for a gain or
    a bias and do not decay it.) With `feature_major` the output lies in feature-major memory, which elementwise functions
    keep and the next sparse layer reads as it is: right between the two matrices of an MLP, slow before anything dense;
    `.view` may refuse it, where `.reshape` copies. Not a mask: a dead weight has no gradient, so a method that regrows by
    gradients asks the dense layer for them.
    """

    def __init__(
        self,
        support: Support,
        values: Float[Tensor, "live"],
        bias: Float[Tensor, "row"] | None = None,
        feature_major: bool = False,
    ) -> None:
        super().__init__()
        self.feature_major = feature_major
        if values.shape != (support.live,):
            raise ValueError(f"values of shape {list(values.shape)} given; the support has [{support.live}]")
        if bias is not None and bias.shape != support.shape[:1]:
            raise ValueError(f"a bias of shape {list(bias.shape)} given; the support has [{support.shape[0]}] rows")
        self.out_features, self.in_features = support.shape
        self.values = nn.Parameter(values.detach().clone()[:, None])
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone())
        for name, tensor in support.tensors().items():
            self.register_buffer(name, tensor.clone())  # a loaded state writes into it

    @classmethod
    def of(cls, linear: nn.Linear, mask: Bool[Tensor, "row column"], feature_major: bool = False) -> SparseLinear:
        """The layer with the weights of `linear` where `mask` is True and none elsewhere; a copy."""
        support = Support.of(mask.to(linear.weight.device))
        made = cls(support, support.gather(linear.weight.detach()), linear.bias, feature_major)
        for mine, given in ((made.values, linear.weight), (made.bias, linear.bias)):
            if mine is not None:
                mine.requires_grad_(given.requires_grad)
        return made.train(linear.training)

    @property
    def support(self) -> Support:
        """Which weights are live."""
        names = ("columns", "row_starts", "rows", "column_starts", "order")
        return Support((self.out_features, self.in_features), *(self.get_buffer(name) for name in names))

    def dense(self) -> nn.Linear:
        """The same layer as an `nn.Linear`, dead weights 0; a copy."""
        linear = nn.utils.skip_init(
            nn.Linear,
            self.in_features,
            self.out_features,
            bias=self.bias is not None,
            device=self.values.device,
            dtype=self.values.dtype,
        )
        with torch.no_grad():
            linear.weight.copy_(self.support.scatter(self.values[:, 0]))
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        for name, mine in (("weight", self.values), ("bias", self.bias)):
            if mine is not None:
                getattr(linear, name).requires_grad_(mine.requires_grad)
        return linear.train(self.training)

    def forward(self, x: Float[Tensor, "*batch position column"]) -> Float[Tensor, "*batch position row"]:
        turned = self.feature_major and x.ndim > 1 and x.shape[-2] >= SHORTEST_ROW
        return product(x, self.values[:, 0], self.support, self.bias, turned)

    def extra_repr(self) -> str:
        """What print shows."""
        support = self.support
        return f"in_features={self.in_features}, out_features={self.out_features}, live={support.live} ({support.share:.3%})"
