"""Closed forms: how many floating-point operations one call of a torch operator does, from its arguments.

Products only, 2·m·k·n for m×k and k×n. What is stored sparsely costs what is stored: 2·nnz·n for a sparse matrix and n
columns, whether in coordinates, compressed rows or columns, or blocks (blocks count whole).
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from cutaway.ledger.useful import pairs, stored

aten = torch.ops.aten
Formula = Callable[..., int]


def formula_of(func: Any) -> Formula | None:
    """The formula of an operator; last, the one that a user registered with torch (`register_flop_formula`)."""
    packet = getattr(func, "_overloadpacket", func)
    return _FORMULAS.get(packet) or flop_registry.get(packet)


def _product(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """`a @ b` for a of [*, m, k] and b of [*, k, n], or a vector on either side."""
    return 2 * pairs(a, b)


def _products(all_a: list[Tensor], all_b: list[Tensor], **_: Any) -> int:
    return sum(2 * pairs(a, b) for a, b in zip(all_a, all_b, strict=True))


def _added_product(_added: Tensor, a: Tensor, b: Tensor, **_: Any) -> int:
    return 2 * pairs(a, b)


def _sampled_product(kept: Tensor, a: Tensor, _b: Tensor, **_: Any) -> int:
    """`a @ b` only where `kept` has an entry: one dot product each."""
    return 2 * stored(kept) * a.shape[-1]


def _linear(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """x of [*, in], weight of [out, in]."""
    return 2 * x.numel() * weight.shape[0]


def _grouped_product(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """Each row of `a`, or each column of `b` where only `a` has a matrix for each group, meets the matrix of its group."""
    rows = prod(a.shape[-2:]) if (a.ndim, b.ndim) == (3, 2) else a.numel()
    return 2 * rows * b.shape[-1]


def _trilinear(
    a: Tensor,
    b: Tensor,
    c: Tensor,
    missing_a: list[int],
    missing_b: list[int],
    missing_c: list[int],
    summed: list[int],
    unrolled: int = 1,
    **_: Any,
) -> int:
    """a · b first, summed over what c has not, then with c; once for each index of the unrolled dimension (nn.Bilinear)."""
    of = [(a, set(missing_a)), (b, set(missing_b)), (c, set(missing_c))]
    ndim = a.ndim + len(missing_a)
    sizes = [max(_opened(value, missing, ndim)[d] for value, missing in of) for d in range(ndim)]
    has_a, has_b, has_c = ({d for d in range(ndim) if d not in missing} for _, missing in of)
    first = has_a | has_b | {unrolled}
    second = (first - (set(summed) - has_c)) | has_c
    return 2 * (prod(sizes[d] for d in first) + prod(sizes[d] for d in second))


def _opened(value: Tensor, missing: set[int], ndim: int) -> list[int]:
    there = iter(value.shape)
    return [1 if d in missing else next(there) for d in range(ndim)]


def _convolution(
    x: Tensor,
    weight: Tensor,
    _bias: Any,
    _stride: Any,
    _pad: Any,
    _dilation: Any,
    transposed: bool,
    *_: Any,
    out_val: Tensor,
) -> int:
    # The weight is [out, in / groups, *kernel] ([in, out / groups, *kernel] transposed): groups are in its size.
    return _convolution_at(x if transposed else out_val, weight)


def _mkldnn_convolution(_x: Tensor, weight: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    return _convolution_at(out_val, weight)


def _convolution_at(places: Tensor, weight: Tensor) -> int:
    return 2 * places.shape[0] * prod(places.shape[2:]) * weight.numel()


def _convolution_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    _bias: Any,
    _stride: Any,
    _pad: Any,
    _dilation: Any,
    transposed: bool,
    _output_pad: Any,
    _groups: int,
    wanted: list[bool],
    **_: Any,
) -> int:
    # The gradients of input and weight each multiply the same pairs of numbers as the forward pass.
    return _convolution_at(x if transposed else grad, weight) * sum(wanted[:2])


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Two products, q kᵀ and p v; query of [batch, head, query, width], grouped keys and values are shared."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return 2 * pairs * (query.shape[-1] + value.shape[-1])


def _attention_backward(_grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Five products: q kᵀ again, then the gradients of p, v, q and k."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return 2 * pairs * (3 * query.shape[-1] + 2 * value.shape[-1])


def _native_attention(
    query: Tensor,
    key: Tensor,
    _value: Tensor,
    width: int,
    _heads: int,
    qkv: Tensor,
    _b: Any,
    out: Tensor,
    *_: Any,
    **__: Any,
) -> int:
    """torch's fused nn.MultiheadAttention: projections, the two attention products, the output projection."""
    return _self_attention(query, key, width, qkv, out)


def _native_encoder_layer(
    x: Tensor, width: int, _heads: int, qkv: Tensor, _b: Any, out: Tensor, _c: Any, *rest: Any, **_: Any
) -> int:
    """torch's fused nn.TransformerEncoderLayer: its attention and its two feed-forward matrices."""
    ffn = sum(
        weight.numel() for weight in rest if isinstance(weight, Tensor) and weight.ndim == 2 and width in weight.shape
    )
    return _self_attention(x, x, width, qkv, out) + 2 * x.shape[0] * x.shape[1] * ffn


def _self_attention(query: Tensor, key: Tensor, width: int, qkv: Tensor, out: Tensor) -> int:
    batch, positions = query.shape[:2]
    return 2 * batch * positions * (qkv.numel() + out.numel() + 2 * key.shape[1] * width)


def _mkldnn_rnn(x: Tensor, into: Tensor, again: Tensor, *_: Any, **__: Any) -> int:
    """One direction of one layer: x of [time, batch, in], weights of [gates · hidden, in or hidden]."""
    return 2 * x.shape[0] * x.shape[1] * (into.numel() + again.numel())


def _mkldnn_rnn_backward(x: Tensor, into: Tensor, again: Tensor, *_: Any, **__: Any) -> int:
    return 2 * _mkldnn_rnn(x, into, again)


def _gpu_rnn(x: Tensor, weights: list[Tensor], *_: Any, **__: Any) -> int:
    """All layers at once, on a GPU: every matrix is applied once a step (x is [time, batch, in] or packed)."""
    return 2 * prod(x.shape[:-1]) * sum(weight.numel() for weight in weights if weight.ndim == 2)


def _gpu_rnn_backward(x: Tensor, weights: list[Tensor], *_: Any, **__: Any) -> int:
    return 2 * _gpu_rnn(x, weights)


_FORMULAS: dict[Any, Formula] = {
    aten.mm: _product,
    aten.bmm: _product,
    aten._foreach_mm: _products,
    aten.mv: _product,
    aten.dot: _product,
    aten.vdot: _product,
    aten.addmm: _added_product,
    aten.baddbmm: _added_product,
    aten.addbmm: _added_product,
    aten.addmv: _added_product,
    aten._addmm_activation: _added_product,
    aten._grouped_mm: _grouped_product,
    aten._int_mm: _product,
    aten._sparse_sparse_matmul: _product,
    aten._sparse_mm_reduce_impl: _product,
    aten._sparse_addmm: _added_product,
    aten.sspaddmm: _added_product,
    aten.sparse_sampled_addmm: _sampled_product,
    aten._trilinear: _trilinear,
    aten.mkldnn_linear: _linear,
    aten.convolution: _convolution,
    aten._convolution: _convolution,
    aten.convolution_overrideable: _convolution,
    aten.convolution_backward: _convolution_backward,
    aten.mkldnn_convolution: _mkldnn_convolution,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention: _attention,
    aten._scaled_dot_product_efficient_attention: _attention,
    aten._scaled_dot_product_cudnn_attention: _attention,
    aten._scaled_dot_product_fused_attention_overrideable: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten._scaled_dot_product_flash_attention_backward: _attention_backward,
    aten._scaled_dot_product_efficient_attention_backward: _attention_backward,
    aten._scaled_dot_product_cudnn_attention_backward: _attention_backward,
    aten._scaled_dot_product_fused_attention_overrideable_backward: _attention_backward,
    aten._native_multi_head_attention: _native_attention,
    aten._transformer_encoder_layer_fwd: _native_encoder_layer,
    aten.mkldnn_rnn_layer: _mkldnn_rnn,
    aten.mkldnn_rnn_layer_backward: _mkldnn_rnn_backward,
    aten._cudnn_rnn: _gpu_rnn,
    aten._cudnn_rnn_backward: _gpu_rnn_backward,
    aten.miopen_rnn: _gpu_rnn,
    aten.miopen_rnn_backward: _gpu_rnn_backward,
}
