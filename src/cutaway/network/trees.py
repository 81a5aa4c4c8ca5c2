"""Tensors inside what modules take and return: tuples, lists, dicts, Hugging Face outputs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor


def map_tensors(do: Callable[[Tensor], Any], value: Any) -> Any:
    """`value` (tensors in tuples, lists, dicts, Hugging Face outputs) with `do` applied to every tensor."""
    if isinstance(value, Tensor):
        return do(value)
    if isinstance(value, tuple):
        mapped = [map_tensors(do, one) for one in value]
        return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)
    if isinstance(value, list):
        return [map_tensors(do, one) for one in value]
    if isinstance(value, dict):
        new = copy.copy(value)
        for name, one in value.items():
            new[name] = map_tensors(do, one)
        return new
    return value


def leaves(value: Any) -> list[Tensor]:
    """The tensors of a tree, in order."""
    found: list[Tensor] = []
    map_tensors(found.append, value)
    return found


def argument(args: tuple, kwargs: dict, index: int) -> tuple[int | str, Tensor]:
    """The `index`-th floating-point tensor that a module was called with, and where it stands."""
    named: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
    found = [(where, x) for where, x in named if isinstance(x, Tensor) and x.is_floating_point()]
    if index >= len(found):
        raise LookupError(f"a module was called with {len(found)} tensors; there is no number {index}")
    return found[index]


def with_argument(args: tuple, kwargs: dict, where: int | str, x: Tensor) -> tuple[tuple, dict]:
    """The arguments with one replaced."""
    if isinstance(where, int):
        return (*args[:where], x, *args[where + 1 :]), kwargs
    return args, {**kwargs, where: x}


def result(output: Any, index: int) -> Tensor:
    """The `index`-th tensor among what a module returned."""
    if isinstance(output, Tensor):
        return output
    found = [x for x in (output.values() if isinstance(output, dict) else output) if isinstance(x, Tensor)]
    if index >= len(found):
        raise LookupError(f"a module returned {len(found)} tensors; there is no number {index}")
    return found[index]


def with_result(output: Any, index: int, x: Tensor) -> Any:
    """What a module returned, with one tensor replaced."""
    if isinstance(output, Tensor):
        return x
    old = result(output, index)
    if isinstance(output, dict):
        new = copy.copy(output)
        for name, value in output.items():
            if value is old:
                new[name] = x
        return new
    values = [x if value is old else value for value in output]
    return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)
