"""Floating-point operations of a block of torch code, counted operator by operator under torch's dispatcher.

Convention: a product of m×k and k×n is 2·m·k·n; biases, norms, softmax and other work linear in the number of elements
are not counted. Masks are not subtracted: causal attention costs as much as full, padding as much as data. Fused
attention recomputes the scores in its backward, which is counted because it is done: 2 products forward, 5 backward. So
is a product with a tangent that is known to be zero (forward-mode derivatives of a constant weight). What is stored
sparsely costs what is stored.

torch 2.13's own FlopCounterMode counts scaled-dot-product attention on the CPU, LSTMs and products of matrices in
coordinates as 0, compressed rows as if they were dense, multiplies the weight gradient of a grouped convolution by the
number of groups, and cannot say what it missed; hence this file. Its registry is still asked last, so formulas that a
user registered with torch (`register_flop_formula`) count here too. What never passes torch's dispatcher (numpy, compiled
regions, kernels called directly) is not seen: there are only its seconds.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cutaway.ledger.count import Tally
from cutaway.ledger.formulas import formula_of
from cutaway.ledger.light import LIGHT
from cutaway.ledger.useful import useful_of


class UncountedError(NotImplementedError):
    """An operator without a formula ran where every operation was to be counted."""


class FlopCounter(TorchDispatchMode):
    """Counts what runs inside `with FlopCounter() as counter:`, backward passes included.

    `flops` is the sum; `uncounted` maps each operator that has no formula and is not known to be linear in the number
    of elements (an SVD, an FFT, someone else's kernel) to its number of calls. Nested counters each see everything.
    Counters with the same `tally` add to one count: one for each thread.
    """

    supports_higher_order_operators = True

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__()
        self.tally = Tally() if tally is None else tally

    @property
    def flops(self) -> int:
        """Operations so far."""
        return self.tally.count.flops

    @property
    def uncounted(self) -> Counter[str]:
        """Calls so far of each operator that has no formula."""
        return self.tally.count.uncounted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator and add what it costs."""
        kwargs = kwargs or {}
        formula, tally = formula_of(func), self.tally
        if formula is None and _composite(func):
            # Inference mode hands over whole composites (linear, conv2d, lstm): count the parts they fall into.
            with self:
                return func.decompose(*args, **kwargs)
        if formula is not None and any(isinstance(value, Tensor) and value.is_nested for value in args):
            formula = None
        counted = formula is not None or _light(func)
        if tally.strict and not counted:
            raise UncountedError(_how_to_register(func))
        begun = perf_counter()
        out = func(*args, **kwargs)
        seconds = perf_counter() - begun
        flops = (0 if counted else None) if formula is None else int(formula(*args, **kwargs, out_val=out))
        useful = useful_of(func, flops, args, kwargs) if tally.weighing and flops else 0
        tally.add_operator(_name(func), flops, useful, seconds, _shaped(func, args))
        return out


@cache
def _name(func: Any) -> str:
    return str(getattr(func, "_overloadpacket", func))


def _how_to_register(func: Any) -> str:
    return (
        f"{_name(func)} has no formula for its operations, and strict counting was asked for; register one with "
        f"torch.utils.flop_counter.register_flop_formula(torch.ops.{_name(func)}), or count without strict=True, "
        f"which lists it as not counted"
    )


@cache
def _composite(func: Any) -> bool:
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return isinstance(func, torch._ops.OpOverload) and (key in func.py_kernels or func.has_kernel_for_dispatch_key(key))


def _shaped(func: Any, args: Any) -> bool:
    """Whether the shape of the result depends on values, so that the same shapes may cost something else next time."""
    if not isinstance(func, torch._ops.OpOverload) or torch.Tag.dynamic_output_shape not in func.tags:
        return False
    if func._overloadpacket is not torch.ops.aten.index:
        return True
    return any(isinstance(one, Tensor) and one.dtype in (torch.bool, torch.uint8) for one in args[1])


@cache
def _light(func: Any) -> bool:
    """Whether an operator only views, or does work linear in the number of elements it reads and writes."""
    if not isinstance(func, torch._ops.OpOverload):
        return False
    if (
        func.namespace == "profiler"
        or func.is_view
        or torch.Tag.inplace_view in func.tags
        or torch.Tag.pointwise in func.tags
        or torch.Tag.reduction in func.tags
    ):
        return True
    if func.namespace not in ("aten", "prims"):
        return False  # someone else's operator may have the name of one of torch's
    name = func._overloadpacket.__name__
    if "mm" in name.split("_"):  # a list of products is not light
        return False
    return name.startswith(("_foreach_", "_fused_", "new_")) or name.strip("_").removesuffix("_backward") in LIGHT
