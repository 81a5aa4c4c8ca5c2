"""What everything is compared with: one rerun after another in plain torch, a hook and a forward pass each.

Attention by sdpa, eval mode, no gradients, no key/value cache, all logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Place:
    """What one rerun sets to zero: `index` of the input or output of the module at `path`, at its `call` (None: at each)."""

    path: str
    side: str
    index: tuple[Any, ...]
    call: int | None = None


def loop(
    module: nn.Module, forward: Callable[[], Any], places: Sequence[Place], metric: Callable[[Any], Tensor]
) -> Tensor:
    """`metric` of the output of `forward()`, once per place: [places, batch]."""
    found = []
    with torch.no_grad():
        for place in places:
            with zeroed(module.get_submodule(place.path), place):
                found.append(metric(forward()))
    return torch.stack(found)


@contextmanager
def zeroed(part: nn.Module, place: Place) -> Iterator[None]:
    """While open, what `place` picks is zero."""
    calls = 0

    def without(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if place.call not in (None, calls - 1):
            return x
        x = x.clone()
        x[place.index] = 0
        return x

    if place.side == "in":
        handle = part.register_forward_pre_hook(lambda _, args: (without(args[0]), *args[1:]))
    else:
        handle = part.register_forward_hook(lambda _, args, output: without(output))
    try:
        yield
    finally:
        handle.remove()
