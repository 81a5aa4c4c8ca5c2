"""What decides how much a call computes, without looking at values: the key under which a metered step is known.

Two calls with the same key *may* differ all the same: control flow on values, an attribute that is no plain value, a
global. Hence steps are counted again now and then (`steps.py`).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.ledger.useful import stored

PLAIN = (bool, int, float, complex, str, bytes, type(None), type, torch.dtype, torch.device, torch.Size, torch.layout)
_SETTINGS = frozenset((bool, int, float, str))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_GLOBAL_HOOKS = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
)


def signature(*things: Any) -> Hashable:
    """The key of a call with these arguments: shapes, kinds and settings, never values of tensors.

    Of a tensor: shape, dtype, device, whether a gradient is wanted and, if it is sparse, how much it stores. Of a
    network: every module with its settings (train or eval, plain attributes), its hooks and its parameters. Containers
    are gone through; plain values are taken as they are. Raises TypeError for anything else.

    >>> signature(torch.ones(2, 3)) == signature(torch.zeros(2, 3)) != signature(torch.ones(2, 4))
    True
    """
    return tuple(map(_one, things))


def ambient() -> Hashable:
    """The switches of torch that change what a call computes: gradients, inference mode, autocast, default dtype."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu"),
        torch.is_autocast_enabled("cuda") and torch.get_autocast_dtype("cuda"),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        *(tuple(getattr(nn.modules.module, name)) for name in _GLOBAL_HOOKS),
    )


def _one(thing: Any) -> Hashable:
    if isinstance(thing, Tensor):
        return _of_tensor(thing)
    if isinstance(thing, nn.Module):
        return tuple(map(_of_module, thing.modules()))
    if isinstance(thing, (list, tuple)):
        return (type(thing), *map(_one, thing))
    if isinstance(thing, dict):
        return (dict, *((name, _one(value)) for name, value in thing.items()))
    if isinstance(thing, PLAIN):
        return type(thing), thing
    raise TypeError(
        f"the signature of a step was given a {type(thing).__name__}; expected tensors, modules, containers and plain "
        f"values; give what of it changes the amount of work, such as its sizes"
    )


def _of_tensor(tensor: Tensor) -> Hashable:
    held = None if tensor.layout is torch.strided else stored(tensor)
    return tensor.shape, tensor.dtype, tensor.requires_grad, _names(tensor._backward_hooks), tensor.device, held


def _of_module(module: nn.Module) -> Hashable:
    # This runs for every module at every step: it reads the dictionary, and builds nothing where there is nothing.
    inside = module.__dict__
    hooks = [tuple(inside[name]) if inside[name] else None for name in _HOOKS]
    own = inside["_parameters"]
    settings = [value for value in inside.values() if value.__class__ in _SETTINGS]
    return id(module), *settings, *hooks, *[_of_parameter(one) for one in own.values()]


def _of_parameter(one: Tensor | None) -> Hashable:
    if one is None or one.layout is not torch.strided:
        return None if one is None else _of_tensor(one)
    return one.shape, one.dtype, one.requires_grad, _names(one._backward_hooks)


def _names(hooks: dict[int, Any] | None) -> Hashable:
    return tuple(hooks) if hooks else None
