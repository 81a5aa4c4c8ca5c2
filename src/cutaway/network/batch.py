"""What goes into a network: a batch of inputs, made from text, ids, tensors or whatever the user's `feed` makes.

Prompts of different lengths are padded on the *left*, with position ids that count from the first real token: the last
position is then the last index of every row, and absolute positions stay right (a GPT-2 fed an attention mask alone is
silently off).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn


@runtime_checkable
class Tokenizer(Protocol):
    """What a tokenizer must do here: text to ids (with the tokens it always adds) and back."""

    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class Batch:
    """Inputs of `rows` examples: what the module is called with.

    `real` [batch, position] is False on padding (None: no positions, or none padded). `text` are the strings they came
    from, `tokens` what each position shows.
    """

    args: tuple[Tensor, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    real: Bool[Tensor, "batch position"] | None = None
    tokens: tuple[tuple[str, ...], ...] | None = None
    text: tuple[str, ...] | None = None

    @property
    def ids(self) -> Int[Tensor, "batch position"] | None:
        """Token ids, if this is a batch of tokens."""
        return self.kwargs.get("input_ids")

    @property
    def positions(self) -> int | None:
        """Number of positions, if this is a batch of tokens."""
        return None if self.ids is None else self.ids.shape[1]

    @property
    def size(self) -> str:
        """How large it is, in words."""
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'}"
        return rows if self.positions is None else f"{rows} × {self.positions} positions"

    def take(self, rows: Int[Tensor, "rows"]) -> Batch:
        """The batch made of these rows, in this order, repeats allowed."""

        def gather(value: Any) -> Any:
            if isinstance(value, Tensor) and value.ndim and value.shape[0] == self.rows:
                return value.index_select(0, rows.to(value.device))
            return value

        listed = rows.tolist()
        return Batch(
            tuple(gather(value) for value in self.args),
            {name: gather(value) for name, value in self.kwargs.items()},
            len(listed),
            None if self.real is None else self.real[rows.to(self.real.device)],
            None if self.tokens is None else tuple(self.tokens[row] for row in listed),
            None if self.text is None else tuple(self.text[row] for row in listed),
        )

    def from_position(self, start: int) -> Batch:
        """The batch with only the positions from `start` on (for a network whose earlier positions are known)."""
        kwargs = {
            name: value[:, start:]
            if isinstance(value, Tensor) and value.shape[:2] == (self.rows, self.positions)
            else value
            for name, value in self.kwargs.items()
        }
        return Batch((), kwargs, self.rows, None if self.real is None else self.real[:, start:], None, None)

    def to(self, device: torch.device) -> Batch:
        """The batch on `device`."""

        def move(value: Any) -> Any:
            return value.to(device) if isinstance(value, Tensor) else value

        return Batch(
            tuple(map(move, self.args)),
            {k: move(v) for k, v in self.kwargs.items()},
            self.rows,
            self.real,
            self.tokens,
            self.text,
        )


def rows_in(values: Sequence[Any]) -> int:
    """The size of the batch axis: that of the first tensor."""
    for value in values:
        if isinstance(value, Tensor) and value.ndim:
            return value.shape[0]
    raise ValueError("the feed gave no tensor with a batch axis; expected tensors whose first axis is the batch")


def tensor_batch(value: Any) -> Batch:
    """A batch from a tensor (one argument), a tuple of tensors (several) or a dict (keyword arguments)."""
    if isinstance(value, Batch):
        return value
    if isinstance(value, Tensor):
        return Batch((value,), {}, rows_in([value]))
    if isinstance(value, dict) or hasattr(value, "keys"):
        named = {str(name): value[name] for name in value.keys()}  # noqa: SIM118 (BatchEncoding is no dict)
        return Batch((), named, rows_in(list(named.values())))
    if isinstance(value, tuple):
        return Batch(value, {}, rows_in(value))
    raise TypeError(
        f"cannot feed a {type(value).__name__} to this network; expected a tensor, a tuple or a dict of tensors; "
        "open the network with feed=… (a tokenizer or a function from your inputs to tensors) to give it anything else"
    )


def _tokenized(named: Any) -> list[list[int]]:
    """The rows of `input_ids`, without what `attention_mask` calls padding."""
    if "input_ids" not in named.keys():  # noqa: SIM118 (BatchEncoding is no dict)
        raise TypeError(
            f"a dict with {', '.join(map(str, named.keys())) or 'nothing in it'} was given; this network reads text: "
            "expected texts, ids, or a dict with input_ids (and attention_mask)"
        )
    ids = torch.as_tensor(named["input_ids"])
    mask = named["attention_mask"] if "attention_mask" in named.keys() else torch.ones_like(ids)  # noqa: SIM118
    real = torch.as_tensor(mask).bool()
    if ids.ndim != 2 or ids.shape != real.shape:
        raise ValueError(
            f"input_ids {tuple(ids.shape)} with attention_mask {tuple(real.shape)} were given; "
            "expected both as [rows, positions]"
        )
    return [row[keep].tolist() for row, keep in zip(ids, real)]


@dataclass(frozen=True)
class TextFeed:
    """Text to token ids for a module, left-padded, with what its forward accepts of mask and position ids.

    `first` is the position id of the first token: RoBERTa and its like count from the padding index on.
    """

    tokenizer: Tokenizer
    accepts: frozenset[str]
    pad: int = 0
    context: int | None = None
    first: int = 0

    def __call__(
        self, inputs: str | Sequence[str] | Sequence[Sequence[int]] | Mapping[str, Any] | Tensor | Batch
    ) -> Batch:
        return inputs if isinstance(inputs, Batch) else self.batch(*self.rows(inputs))

    def rows(self, inputs: Any) -> tuple[list[list[int]], tuple[str, ...] | None]:
        """Texts, ids, or what a tokenizer made of texts (`input_ids` and `attention_mask`) as rows of ids, and the texts."""
        if hasattr(inputs, "keys"):
            return _tokenized(inputs), None
        if isinstance(inputs, str):
            inputs = [inputs]
        if isinstance(inputs, Tensor):
            return [row.tolist() for row in (inputs if inputs.ndim == 2 else inputs[None])], None
        text = tuple(one for one in inputs if isinstance(one, str))
        if len(text) == len(inputs):
            return [list(self.tokenizer.encode(one)) for one in text], text
        if text:
            raise TypeError(
                f"{len(text)} texts and {len(inputs) - len(text)} rows of ids were given together; give one kind"
            )
        return [[int(token) for token in one] for one in inputs], None

    def batch(self, rows: Sequence[Sequence[int]], text: tuple[str, ...] | None = None) -> Batch:
        """Ids of any lengths as one left-padded batch."""
        if not rows or any(not row for row in rows):
            raise ValueError("an empty prompt: this tokenizer makes no token of it; give at least one character")
        longest = max(len(row) for row in rows)
        if self.context is not None and longest > self.context:
            raise ValueError(
                f"a prompt has {longest} tokens; this network reads at most {self.context}; shorten it by {longest - self.context}"
            )
        ids = torch.full((len(rows), longest), self.pad, dtype=torch.long)
        real = torch.zeros(len(rows), longest, dtype=torch.bool)
        for row, values in enumerate(rows):
            ids[row, longest - len(values) :] = torch.tensor(list(values), dtype=torch.long)
            real[row, longest - len(values) :] = True
        offered = {"input_ids": ids, "attention_mask": real.long()}
        if not real.all():  # without padding the network's own positions are right
            offered["position_ids"] = (real.long().cumsum(1) - 1).clamp(min=0) + self.first
        kwargs = {name: value for name, value in offered.items() if name in self.accepts}
        if "attention_mask" not in kwargs and not real.all():
            raise ValueError(
                "prompts of different lengths need padding, but this network takes no attention_mask; give prompts of one length"
            )
        tokens = tuple(
            tuple(self.show(i) if keep else "" for i, keep in zip(r, k)) for r, k in zip(ids.tolist(), real.tolist())
        )
        return Batch((), kwargs, len(rows), real, tokens, text)

    def show(self, token: int) -> str:
        """What one token looks like."""
        return self.tokenizer.decode([token])


@dataclass(frozen=True)
class Wrapped:
    """A Hugging Face tokenizer, or one of the `tokenizers` library, as a `Tokenizer`."""

    inner: Any

    def encode(self, text: str) -> list[int]:
        try:
            ids = self.inner.encode(text)
        except Exception as error:  # the tokenizers library raises nothing narrower
            if "[UNK]" not in str(error):
                raise
            raise ValueError(
                f"this tokenizer has no token for a word of {text!r}, nor one for unknown words; give words that it has"
            ) from error
        return list(ids.ids) if hasattr(ids, "ids") else list(ids)

    def decode(self, ids: Sequence[int]) -> str:
        return self.inner.decode(list(ids), skip_special_tokens=False)


def parameters_of(module: nn.Module) -> frozenset[str]:
    """The names that a module's forward accepts."""
    return frozenset(inspect.signature(module.forward).parameters)


Feed = Callable[[Any], Batch]
