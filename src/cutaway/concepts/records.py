"""Dataclasses, tables and numbers as JSON and back, by their annotations: so a match is kept when it is stopped, and saved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def as_record(value: Any) -> Any:
    """A value as JSON: a dataclass as an object of its fields, a number that is not finite as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        return {one.name: as_record(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: as_record(one) for name, one in value.items()}
    return [as_record(one) for one in value] if isinstance(value, list | tuple) else value


def from_record(kind: Any, record: Any) -> Any:
    """What `as_record` was given, a value of the annotation `kind`; null is NaN where a number must be."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: from_record(hints[name], one) for name, one in record.items()})
    if kind is float:
        return math.nan if record is None else float(record)
    if record is None:
        return None
    if origin in (Union, UnionType):
        (known,) = (one for one in inner if one is not NoneType)
        return from_record(known, record)
    if origin is tuple:
        kinds = inner[:1] * len(record) if inner[-1] is ... else inner
        return tuple(from_record(each, one) for each, one in zip(kinds, record, strict=True))
    if origin is Mapping:
        return {name: from_record(inner[1], one) for name, one in record.items()}
    return record
