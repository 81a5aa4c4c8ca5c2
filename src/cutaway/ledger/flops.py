"""Floating-point operations of a block of torch code, counted operator by operator under torch's dispatcher.

Convention: a product of m×k and k×n is 2·m·k·n; biases, norms, softmax and other work linear in the number of elements
are not counted. Masks are not subtracted: causal attention costs as much as full, padding as much as data. Fused
attention recomputes the scores in its backward, which is counted because it is done: 2 products forward, 5 backward.

torch 2.13's own FlopCounterMode counts scaled-dot-product attention on the CPU and LSTMs as 0, multiplies the weight
gradient of a grouped convolution by the number of groups, and cannot say what it missed; hence this file. Its registry
is still asked last, so formulas that a user registered with torch (`register_flop_formula`) count here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from cutaway.ledger.light import LIGHT

aten = torch.ops.aten
Formula = Callable[..., int]


class FlopCounter(TorchDispatchMode):
    """Counts what runs inside `with FlopCounter() as counter:`, backward passes included.

    `flops` is the sum; `uncounted` maps each operator that has no formula and is not known to be linear in the number
    of elements (an SVD, an FFT, someone else's kernel) to its number of calls. Nested counters each see everything.
    """

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0
        self.uncounted: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator and add what it costs."""
        kwargs = kwargs or {}
        formula = _formula(func)
        if formula is None and _composite(func):
            # Inference mode hands over whole composites (linear, conv2d, lstm): count the parts they fall into.
            with self:
                return func.decompose(*args, **kwargs)
        out = func(*args, **kwargs)
        if formula is not None and not any(isinstance(value, Tensor) and value.is_nested for value in args):
            self.flops += int(formula(*args, **kwargs, out_val=out))
        elif not _light(func):
            self.uncounted[str(getattr(func, "_overloadpacket", func))] += 1
        return out


@cache
def _formula(func: Any) -> Formula | None:
    packet = getattr(func, "_overloadpacket", func)
    return _FORMULAS.get(packet) or flop_registry.get(packet)


@cache
def _composite(func: Any) -> bool:
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return isinstance(func, torch._ops.OpOverload) and (key in func.py_kernels or func.has_kernel_for_dispatch_key(key))


@cache
def _light(func: Any) -> bool:
    """Whether an operator only views, or does work linear in the number of elements it reads and writes."""
    if not isinstance(func, torch._ops.OpOverload):
        return False
    if (
        func.namespace == "profiler"
        or func.is_view
        or torch.Tag.pointwise in func.tags
        or torch.Tag.reduction in func.tags
    ):
        return True
    name = func._overloadpacket.__name__
    return name.startswith(("_foreach_", "_fused_", "new_")) or name.strip("_").removesuffix("_backward") in LIGHT


def _product(a: Tensor, b: Tensor, **_: Any) -> int:
    """`a @ b` for a of [*, m, k] and b of [*, k, n], or a vector on the right."""
    return 2 * a.numel() * (b.shape[-1] if b.ndim > 1 else 1)


def _added_product(_added: Tensor, a: Tensor, b: Tensor, **_: Any) -> int:
    return _product(a, b)


def _linear(x: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    """x of [*, in], weight of [out, in]."""
    return 2 * x.numel() * weight.shape[0]


def _grouped_product(a: Tensor, b: Tensor, *_: Any, **__: Any) -> int:
    """Rows of `a` by the matrix of their group: every row meets one matrix, whichever way the groups are cut."""
    return 2 * a.numel() * b.shape[-1]


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
    aten.mv: _product,
    aten.dot: _product,
    aten.vdot: _product,
    aten.addmm: _added_product,
    aten.baddbmm: _added_product,
    aten.addbmm: _added_product,
    aten.addmv: _added_product,
    aten._addmm_activation: _added_product,
    aten._grouped_mm: _grouped_product,
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
