"""Useful operations: those that multiply two numbers neither of which is zero, beside those that a kernel executes.

So a dense product with a sparse weight and the sparse product with the same weight have the same useful operations, and
differ in those executed. Products of matrices and convolutions are looked at number by number; of a recurrent layer only
the weights are seen, so its states are taken as full; every other formula's operations all count as useful. Products with
the padding of a convolution are executed and not useful. Masks are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def stored(values: Tensor) -> int:
    """How many numbers a tensor holds, zeros included: all of them if it is dense."""
    if values.layout == torch.strided:
        return values.numel()
    if values.layout in COMPRESSED:
        return values.values().numel()
    return values._values().numel() if values.layout == torch.sparse_coo else values.numel()


def pairs(a: Tensor, b: Tensor, zeros: bool = True) -> int:
    """Pairs of numbers that `a @ b` multiplies, for a of [*, m, k] and b of [*, k, n] (either may be a vector).

    Of what is stored sparsely only what is stored takes part. With `zeros=False` neither number of a pair is 0.
    """
    a = a if a.ndim > 1 else a[None]
    b = b if b.ndim > 1 else b[:, None]
    if zeros and b.layout == torch.strided:
        return stored(a) * b.shape[-1]
    if zeros and a.layout == torch.strided:
        return stored(b) * a.shape[-2]
    return int((_along(a, -1, zeros) * _along(b, -2, zeros)).sum())


def useful_of(func: Any, flops: int, args: Any, kwargs: Any) -> int:
    """How many of the `flops` operations of a call are useful.

    Raises ValueError where there are no values to look at.
    """
    found = _USEFUL.get(getattr(func, "_overloadpacket", func))
    if found is None or flops == 0:
        return flops
    if any(isinstance(value, Tensor) and value.is_meta for value in args):
        raise ValueError(
            f"useful operations of {func} depend on values, and were given tensors on the meta device, which have none; "
            f"count there without useful=True"
        )
    return 2 * found(*args, **kwargs)


def _along(values: Tensor, axis: int, zeros: bool) -> Tensor:
    """How many numbers (stored, or not 0) each index along the contracted axis meets: [*, k]."""
    other = -1 if axis == -2 else -2
    if values.layout == torch.strided:
        return torch.ones_like(values, dtype=torch.long).sum(other) if zeros else values.ne(0).sum(other)
    entries = values if values.layout == torch.sparse_coo else values.to_sparse()
    indices, numbers = entries._indices(), entries._values()
    kept = torch.ones_like(numbers, dtype=torch.bool) if zeros else numbers.ne(0)
    shape = [values.shape[d] for d in range(values.ndim) if d != values.ndim + other]
    where = [indices[d] for d in range(values.ndim) if d != values.ndim + other]
    return torch.zeros(shape, dtype=torch.long, device=values.device).index_put(tuple(where), kept.long(), True)


def _product(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    return pairs(a, b, zeros=False)


def _added_product(_added: Tensor, a: Tensor, b: Tensor, **_: Any) -> int:
    return pairs(a, b, zeros=False)


def _linear(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return pairs(x.reshape(-1, x.shape[-1]), weight.t(), zeros=False)


def _sampled(kept: Tensor, a: Tensor, b: Tensor, **_: Any) -> int:
    entries = kept.to_sparse() if kept.layout != torch.sparse_coo else kept
    rows, columns = entries._indices()
    return int(sum((a[row].ne(0) & b[:, column].ne(0)).sum() for row, column in zip(rows, columns)))


def _convolution(x: Tensor, weight: Tensor, _bias: Any, *how: Any, **_: Any) -> int:
    """A convolution of where the numbers are: it adds one for each pair that is not multiplied with 0."""
    return _total(aten.convolution(_ones(x), _ones(weight), None, *how[:6]))


def _mkldnn_convolution(
    x: Tensor, weight: Tensor, _bias: Any, pad: Any, stride: Any, dilation: Any, groups: int, **_: Any
) -> int:
    return _total(aten.convolution(_ones(x), _ones(weight), None, stride, pad, dilation, False, [0] * len(pad), groups))


def _convolution_backward(grad: Tensor, x: Tensor, weight: Tensor, *how: Any, **_: Any) -> int:
    *rest, wanted = how
    found = aten.convolution_backward(_ones(grad), _ones(x), _ones(weight), *rest, [*wanted[:2], False])
    return sum(_total(one) for one in found if one is not None)


def _mkldnn_rnn(x: Tensor, into: Tensor, again: Tensor, *_: Any, **__: Any) -> int:
    return x.shape[0] * x.shape[1] * int(into.ne(0).sum() + again.ne(0).sum())


def _mkldnn_rnn_backward(x: Tensor, into: Tensor, again: Tensor, *_: Any, **__: Any) -> int:
    """The gradient of what was read meets the weights; the gradient of the weights meets none of them."""
    return _mkldnn_rnn(x, into, again) + x.shape[0] * x.shape[1] * (into.numel() + again.numel())


def _ones(values: Tensor) -> Tensor:
    return values.ne(0).double()


def _total(counts: Tensor) -> int:
    return round(float(counts.sum()))


_USEFUL: dict[Any, Callable[..., int]] = {
    aten.mm: _product,
    aten.bmm: _product,
    aten.mv: _product,
    aten.dot: _product,
    aten.vdot: _product,
    aten._int_mm: _product,
    aten._sparse_sparse_matmul: _product,
    aten._sparse_mm_reduce_impl: _product,
    aten.addmm: _added_product,
    aten.baddbmm: _added_product,
    aten.addbmm: _added_product,
    aten.addmv: _added_product,
    aten._addmm_activation: _added_product,
    aten._sparse_addmm: _added_product,
    aten.sspaddmm: _added_product,
    aten.sparse_sampled_addmm: _sampled,
    aten.mkldnn_linear: _linear,
    aten.convolution: _convolution,
    aten._convolution: _convolution,
    aten.mkldnn_convolution: _mkldnn_convolution,
    aten.convolution_backward: _convolution_backward,
    aten.mkldnn_rnn_layer: _mkldnn_rnn,
    aten.mkldnn_rnn_layer_backward: _mkldnn_rnn_backward,
}
