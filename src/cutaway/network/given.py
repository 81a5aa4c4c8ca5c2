"""What was given, held against what a network is known to take, before torch has to complain about it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from cutaway.network.batch import Batch


class InputError(ValueError):
    """Inputs that a network cannot run on."""


@dataclass(frozen=True)
class Intake:
    """What is known of a module's inputs: the `names` its forward takes, in order; for networks of tokens how many there
    are in the `vocabulary` and how many `learned` positions there are (None: not known, or no limit).
    """

    names: tuple[str, ...] = ()
    vocabulary: int | None = None
    learned: int | None = None

    def named(self, batch: Batch) -> Batch:
        """The batch with token ids under their name where they were given as the first of the arguments."""
        if not batch.args or self.names[:1] != ("input_ids",) or batch.args[0].is_floating_point():
            return batch
        if len(batch.args) > 1 or "input_ids" in batch.kwargs:
            return batch
        return replace(batch, args=(), kwargs={"input_ids": batch.args[0], **batch.kwargs})

    def check(self, batch: Batch) -> None:
        """Raises `InputError` where the token ids of a batch cannot be right: given, expected, what to try."""
        ids = batch.kwargs.get("input_ids")
        if not isinstance(ids, Tensor) or any(_real_valued(x) for x in batch.kwargs.values()):
            return  # beside an image or a sound ids may stand for what is put in their place
        if ids.ndim < 2:
            raise InputError(
                f"the token ids given have the shape {tuple(ids.shape)}; expected [rows, positions]; "
                "give one text as ids[None]"
            )
        low, high = (int(ids.min()), int(ids.max())) if ids.numel() else (0, 0)
        if self.vocabulary is not None and (low < 0 or high >= self.vocabulary):
            raise InputError(
                f"the token id {low if low < 0 else high} was given; this network knows the ids 0 to {self.vocabulary - 1}; "
                "use the tokenizer it was trained with"
            )
        length = ids.shape[-1]
        if self.learned is not None and length > self.learned and "position_ids" not in batch.kwargs:
            raise InputError(
                f"texts of {length} tokens were given; this network has learned {self.learned} positions; "
                f"shorten them by {length - self.learned}"
            )


def intake(module: nn.Module) -> Intake:
    """What can be told of a module's inputs without running it."""
    tokens = token_table(module)
    context = context_of(module)
    table = any(
        isinstance(part, nn.Embedding) and part is not tokens and 0 <= part.num_embeddings - (context or 0) <= 2
        for name, part in module.named_modules()
        if "pos" in name or "wpe" in name  # some tables have a row or two for padding before the first position
    )
    names = tuple(inspect.signature(module.forward).parameters)
    return Intake(names, None if tokens is None else tokens.num_embeddings, context if table else None)


def token_table(module: nn.Module) -> nn.Embedding | None:
    """The embedding of tokens, if the module says which it is."""
    try:
        table = getattr(module, "get_input_embeddings", lambda: None)()
    except NotImplementedError:  # transformers' answer for images and sound
        return None
    return table if isinstance(table, nn.Embedding) else None


def first_position(module: nn.Module) -> int:
    """The position id of the first token: 0, or one after the padding index of a position embedding that has one (RoBERTa)."""
    for name, part in module.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding) and part.padding_idx is not None:
            return part.padding_idx + 1
    return 0


def context_of(module: nn.Module) -> int | None:
    """The longest input that a module was built for, if it says so."""
    config = getattr(module, "config", None) or getattr(module, "shape", None)
    text = getattr(config, "get_text_config", None)
    config = text() if callable(text) else config
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context"):
        if isinstance(value := getattr(config, name, None), int) and value > 0:
            return value - first_position(module)
    return None


def shapes(batch: Batch) -> str:
    """The tensors of a batch by name and shape."""
    named: list[tuple[str, Any]] = [(f"argument {i}", x) for i, x in enumerate(batch.args)] + list(batch.kwargs.items())
    return (
        ", ".join(f"{name} {tuple(x.shape)} {_dtype(x)}" for name, x in named if isinstance(x, Tensor)) or "no tensor"
    )


def _dtype(x: Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")


def _real_valued(x: Any) -> bool:
    return isinstance(x, Tensor) and x.is_floating_point() and x.ndim > 2
