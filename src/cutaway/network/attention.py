"""Queries, keys, values and head outputs of every Hugging Face family, through its own attention interface.

One function is registered per implementation (`sdpa`, `eager`, flash …) together with that implementation's mask
function: a custom attention name *without* its mask function is silently wrong on padded batches. Outside a pass it
calls the original and nothing else. Source: transformers' AttentionInterface and AttentionMaskInterface.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from torch import Tensor, nn

from cutaway.network.passes import active_pass

PREFIX = "cutaway_"


def readable(implementation: str | None) -> str | None:
    """The name under which `implementation` can be read; registers it on first use."""
    if implementation is None:
        implementation = "eager"
    if implementation.startswith(PREFIX):
        return implementation
    from transformers import AttentionInterface, AttentionMaskInterface

    name = PREFIX + implementation
    if name not in AttentionInterface._global_mapping:
        AttentionInterface.register(name, _reader(implementation))
        masks = AttentionMaskInterface._global_mapping
        if implementation in masks:
            AttentionMaskInterface.register(name, masks[implementation])
    return name


def _reader(implementation: str) -> Any:
    def attend(
        part: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, *args: Any, **kwargs: Any
    ) -> Any:
        inner = _original(type(part), implementation)
        current = active_pass()
        if current is None or args:
            return inner(part, query, key, value, attention_mask, *args, **kwargs)
        return current.attention(part, inner, query, key, value, attention_mask, kwargs)

    return attend


@cache
def _original(part: type[nn.Module], implementation: str) -> Any:
    """The function that the family itself would have called."""
    home = sys.modules[part.__module__]
    if implementation == "eager":
        for kind in part.__mro__:
            eager = getattr(sys.modules[kind.__module__], "eager_attention_forward", None)
            if eager is not None:
                return eager
        raise LookupError(
            f"{part.__name__} has no eager attention function; open the network with attn_implementation='sdpa'"
        )
    from transformers import AttentionInterface

    functions = getattr(home, "ALL_ATTENTION_FUNCTIONS", None) or AttentionInterface()
    return functions[implementation]
