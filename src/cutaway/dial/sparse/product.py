"""W x with W sparse on a fixed support, and its exact gradients, from stock kernels of torch.

Activations are taken a block of tokens at a time, feature-major ([channel, token]: a channel's tokens lie in one row), so
that a block's rows stay in the cache. Forward, the output's rows are weighted sums of the input's rows: an embedding bag
with weights. The input's gradient is the same with the transposed index; the gradient of a live weight is the product of
two rows: a sampled dense-dense product. Dead weights get no gradient and cost nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from cutaway.dial.sparse.support import Support

CACHED = 2**18
"""Numbers of a block's wider side: 1 MB in float32, half of a usual second-level cache (2**19 was up to a third slower)."""
SHORTEST, LONGEST = 64, 256
"""Tokens of a block: with shorter rows the calls are the cost, longer ones gain nothing."""
SUM = 0
"""torch's number for the mode of an embedding bag."""


def product(
    x: Float[Tensor, "*batch position column"],
    values: Float[Tensor, "live"],
    support: Support,
    bias: Float[Tensor, "row"] | None = None,
    feature_major: bool | None = None,
) -> Float[Tensor, "*batch position row"]:
    """x Wᵀ + bias, where W is `values` on `support` and 0 elsewhere; differentiable in x, values and bias.

    With `feature_major` the output's memory is [*batch, row, position], under the same shape (as `x.mT` would give it);
    without, it is that of a dense layer; None: like the input's. An input in feature-major memory, as the output of the last
    product through elementwise functions is, is read without a transposition.
    """
    if x.ndim < 2 or x.shape[-1] != support.shape[1]:
        raise ValueError(
            f"an input of shape {list(x.shape)} given; expected [*batch, position, {support.shape[1]}], the columns of "
            f"the support"
        )
    if values.shape != (support.live,):
        raise ValueError(f"values of shape {list(values.shape)} given; the support has [{support.live}] live weights")
    if values.dtype not in (torch.float32, torch.float64) or x.dtype != values.dtype:
        raise ValueError(
            f"an input of {x.dtype} and values of {values.dtype} given; expected both in torch.float32 or both in "
            f"torch.float64, for which torch has the kernels"
        )
    layout = is_feature_major(x) if feature_major is None else feature_major
    return Product.apply(x, values, bias, support, layout)


def is_feature_major(x: Float[Tensor, "*batch position channel"]) -> bool:
    """Whether the tokens of a channel are neighbours in memory."""
    return x.mT.is_contiguous() and not x.is_contiguous()


class Product(torch.autograd.Function):
    """`product` with its gradients."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, values: Tensor, bias: Tensor | None, support: Support, feature_major: bool
    ) -> Tensor:
        ctx.save_for_backward(x, values)
        ctx.support, ctx.by_sequence = support, feature_major or is_feature_major(x)
        y = empty(x, support.shape[0], feature_major)
        for X, Y in blocks(ctx.by_sequence, max(support.shape), x, y):
            write(Y, rows_summed(X.contiguous(), support.columns, support.row_starts, values), bias)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (x, values), support = ctx.saved_tensors, ctx.support
        wants_x, wants_values, wants_bias = ctx.needs_input_grad[:3]
        grad_x = empty(x, support.shape[1], is_feature_major(x))
        grad_bias = values.new_zeros(support.shape[0])
        narrows = support.shape[0] < support.shape[1]
        grad_values = zeros_on(support, narrows, values)
        by_column = values[support.order]
        for X, G, X_grad in blocks(ctx.by_sequence, max(support.shape), x, grad, grad_x):
            G = G.contiguous()
            if wants_x:
                write(X_grad, rows_summed(G, support.rows, support.column_starts, by_column))
            if wants_values:
                X = X.contiguous()
                # Row after row of the first, here and there in the second: that is the one with fewer rows.
                first, second = (X, G) if narrows else (G, X)
                torch.sparse.sampled_addmm(grad_values, first, second.mT, out=grad_values)
            if wants_bias:
                grad_bias += G.sum(1)
        return (
            grad_x if wants_x else None,
            by_row(grad_values.values(), support, narrows) if wants_values else None,
            grad_bias if wants_bias else None,
            None,
            None,
        )


def zeros_on(support: Support, turned: bool, like: Tensor) -> Tensor:
    """A matrix of zeros on the support, or on its transpose, as torch's compressed sparse rows."""
    announced()
    shape = support.shape[::-1] if turned else support.shape
    index = (support.column_starts, support.rows) if turned else (support.row_starts, support.columns)
    return torch.sparse_csr_tensor(*index, torch.zeros_like(like), shape, check_invariants=False)


def by_row(values: Float[Tensor, "live"], support: Support, turned: bool) -> Float[Tensor, "live"]:
    """Values on the support, or on its transpose, row by row."""
    return torch.empty_like(values).index_copy_(0, support.order, values) if turned else values


def rows_summed(
    X: Float[Tensor, "channel token"], index: Tensor, starts: Tensor, weights: Tensor
) -> Float[Tensor, "sum token"]:
    """Weighted sums of rows of X: sum s is over the rows `index[starts[s]:starts[s + 1]]`."""
    # Not through nn.functional: its checks take as long as a block of a small layer.
    return torch.embedding_bag(X, index, starts, False, SUM, False, weights, True)[0]


def write(to: Float[Tensor, "row token"], bag: Float[Tensor, "row token"], bias: Tensor | None = None) -> None:
    """Put `bag` (+ bias) where `to` is; the passes over memory differ with the layout, the result does not."""
    if bias is not None and to.is_contiguous():
        torch.add(bag, bias[:, None], out=to)
        return
    # Both turned: a token-major destination is then contiguous, for which torch has a blocked transposition.
    to.mT.copy_((bag if bias is None else bag.add_(bias[:, None])).mT)


def blocks(by_sequence: bool, widest: int, *activations: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same tokens of each of the `activations`, a block at a time, as [channel, token].

    By sequence a block lies within one, so that feature-major memory is not copied; else it is any run of tokens.
    """
    step = min(max(CACHED // widest, SHORTEST), LONGEST)
    for sheet in zip(*(sheets(x, by_sequence) for x in activations), strict=True):
        tokens = sheet[0].shape[1]
        if by_sequence and tokens <= LONGEST:
            yield sheet
            continue
        for start in range(0, tokens, step):
            yield tuple(X[:, start : start + step] for X in sheet)


def sheets(x: Float[Tensor, "*batch position channel"], by_sequence: bool) -> list[Float[Tensor, "channel token"]]:
    """One matrix a sequence, or one of all tokens."""
    if by_sequence:
        return list(x.reshape(-1, *x.shape[-2:]).mT)
    return [x.reshape(-1, x.shape[-1]).mT]


def empty(
    x: Float[Tensor, "*batch position _"], channels: int, feature_major: bool
) -> Float[Tensor, "*batch position _"]:
    """Memory for as many tokens as x has, of `channels` each."""
    if feature_major:
        return x.new_empty(*x.shape[:-2], channels, x.shape[-2]).mT
    return x.new_empty(*x.shape[:-1], channels)


@cache
def announced() -> None:
    """Takes torch's one warning that sparse matrices are in beta, which says nothing about the product used here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        torch.sparse_csr_tensor([0, 0], [], [], (1, 1), check_invariants=False)
