"""One number per example, read off the output: what a decision is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Metric(Protocol):
    """One number per row of the output; `rows` says which row of the batch each is.

    `last` promises that only the last position is read, `columns` (if not None) that only these outputs are; an engine may
    then compute nothing else and call `narrowed()` on an output that holds just them.
    """

    @property
    def last(self) -> bool: ...

    @property
    def columns(self) -> Tensor | None: ...

    def __call__(self, output: Any, rows: Tensor) -> Float[Tensor, "rows"]: ...
    def narrowed(self) -> Metric: ...


def logits_of(output: Any) -> Tensor:
    """The tensor that a decision is read off: logits, or the first tensor of whatever came out."""
    if isinstance(output, Tensor):
        return output
    logits = getattr(output, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    values = output.values() if isinstance(output, dict) else output
    for value in values:
        if isinstance(value, Tensor):
            return value
    raise TypeError(
        f"a {type(output).__name__} holds no tensor to read a decision off; give the Decision a metric of your own"
    )


def at_least_single(x: Tensor) -> Tensor:
    """`x` in float32, or in float64 if it is: differences of half-precision logits lose most of their digits."""
    return x if x.dtype == torch.float64 else x.float()


@dataclass(frozen=True)
class LogitDifference:
    """logit(answer) − logit(instead) at the last position (or of the class scores), per row.

    Without `instead`: logit(answer) minus the log-sum-exp of all others, the log-odds of the answer.
    """

    answer: Int[Tensor, "batch"]
    instead: Int[Tensor, "batch"] | None = None
    last: bool = True
    narrow: bool = False

    @property
    def columns(self) -> Tensor | None:
        """The outputs that are read."""
        return None if self.instead is None else torch.cat([self.answer, self.instead]).unique()

    def narrowed(self) -> LogitDifference:
        """The same, read off an output that holds only `columns`."""
        return LogitDifference(self.answer, self.instead, self.last, narrow=True)

    def __call__(self, output: Any, rows: Tensor) -> Float[Tensor, "rows"]:
        logits = logits_of(output)
        logits = at_least_single(logits[:, -1] if logits.ndim == 3 else logits)
        rows = rows.to(logits.device)
        answer = self._picked(logits, self.answer, rows)
        if self.instead is not None:
            return answer - self._picked(logits, self.instead, rows)
        others = logits.scatter(1, self.answer.to(logits.device)[rows][:, None], float("-inf"))
        return answer - others.logsumexp(dim=1)

    def _picked(self, logits: Tensor, ids: Tensor, rows: Tensor) -> Tensor:
        if self.narrow:
            assert self.columns is not None
            ids = torch.searchsorted(self.columns, ids)
        return logits.gather(1, ids.to(logits.device)[rows][:, None])[:, 0]


@dataclass(frozen=True)
class Custom:
    """Any function from the module's output to one number per row."""

    function: Callable[[Any], Float[Tensor, "rows"]]
    last: bool = False
    columns: Tensor | None = None

    def narrowed(self) -> Custom:
        """Nothing to narrow."""
        return self

    def __call__(self, output: Any, rows: Tensor) -> Float[Tensor, "rows"]:
        value = self.function(output)
        if not isinstance(value, Tensor) or value.ndim != 1 or len(value) != len(rows):
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"the metric gave {shape} for {len(rows)} examples; expected one number per example, a tensor [{len(rows)}]"
            )
        return at_least_single(value)


def value(index: int = 0) -> Custom:
    """The `index`-th output of a regressor."""
    return Custom(lambda output: logits_of(output).flatten(1)[:, index])
