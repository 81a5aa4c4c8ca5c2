"""Work on the rows of a decision that is done on fewer rows at a time where memory runs out, and says so."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.network.memory import out_of_memory

Found = TypeVar("Found")
Name = TypeVar("Name", bound=Hashable)


def in_halves(
    run: Callable[[Int[Tensor, "rows"]], Found],
    rows: Int[Tensor, "rows"],
    join: Callable[[Sequence[Found]], Found],
    told: list[str],
    what: str,
) -> Found:
    """`run(rows)`; if memory runs out, that of each half of the rows, in their order, put together by `join`.

    Each halving adds a sentence about `what` to `told`. A single row that does not fit raises what `run` raised, and
    so does every error that is not about memory.
    """
    try:
        return run(rows)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error) or len(rows) < 2:
            raise
    # Not inside the handler, whose traceback would keep the tensors of the failed pass alive.
    fewer = len(rows) - len(rows) // 2
    told.append(f"memory ran out: {what} on {fewer} prompt{'s' * (fewer > 1)} at a time")
    return join([in_halves(run, half, join, told, what) for half in rows.split(fewer)])


def on_rows(
    cutter: Cutter,
    run: Callable[[Cutter, Int[Tensor, "rows"]], Found],
    join: Callable[[Sequence[Found]], Found],
    what: str,
) -> Found:
    """`run` on a cutter and the numbers of its rows: all of them, or as few at a time as fit into memory."""
    whole = torch.arange(cutter.posed.batch.rows)

    def some(rows: Int[Tensor, "rows"]) -> Found:
        return run(cutter if len(rows) == len(whole) else cutter.rows(rows), rows)

    return in_halves(some, whole, join, cutter.told, what)


def by_name(found: Sequence[Mapping[Name, Tensor]]) -> dict[Name, Tensor]:
    """Tensors of some rows each, one below the other: those of the same name."""
    return {name: torch.cat([one[name] for one in found]) for name in found[0]}
