"""Equality of values that hold tensors: by what they contain, as tables and text are compared anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def same(one: Any, other: Any) -> bool:
    """Whether two values hold the same: tensors and arrays by their numbers, the rest by `==`; NaN is the same as NaN."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        alike = (one.shape, one.dtype) == (other.shape, other.dtype)
        return alike and torch.equal(one.detach().cpu(), other.detach().cpu())
    if is_dataclass(one) and not isinstance(one, type):
        if type(one) is not type(other):
            return False
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one) if field.compare)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "tolist") and type(one) is type(other):
        return one.dtype == other.dtype and same(one.tolist(), other.tolist())
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return False
    return bool(one == other)
