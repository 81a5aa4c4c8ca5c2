"""What a concept asks of a network's readings: its rows in one list, and which set, split and unit each row is of.

Set 0 are the positives. Every further set is a contrast, in which the concept does not hold: the concept's own negatives,
and of each control the rows that a positive becomes when one factor is changed.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cutaway.concepts.concept import Concept

NEGATIVES = "negatives"


@dataclass(frozen=True)
class Passage:
    """A text, and the spans of characters that count in it; none means that all of it counts."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Question:
    """The rows of one concept: `sets` [rows] is 0 for positives and k for the k-th of the `contrasts` (from 1 on).

    Rows of one unit (group, else minimal pair, else the row alone) stay together when labels are permuted. `left_out` rows
    are not among them, as a network could not take their texts.
    """

    name: str
    contrasts: tuple[str, ...]
    passages: tuple[Passage, ...]
    sets: Int[Tensor, "rows"]
    splits: tuple[str, ...]
    units: tuple[Hashable, ...]
    left_out: int = 0

    @cached_property
    def by_split(self) -> dict[str, Bool[Tensor, "rows"]]:
        """For each split, which rows are of it."""
        every = ("train", "val", "test")
        return {split: torch.tensor([one == split for one in self.splits], dtype=torch.bool) for split in every}

    def count(self, split: str, number: int) -> int:
        """The rows of one set in one split."""
        return int((self.by_split[split] & (self.sets == number)).sum())


def question(concept: Concept) -> Question:
    """The rows of a concept that READ looks at: positives, negatives, and label 1 of every control."""
    found: list[tuple[int, int, dict[str, Any]]] = [(0, int(row["label"] != 1), row) for row in concept.rows]
    for number, control in enumerate(concept.controls, start=2):
        found += [(number, number, row) for row in control.rows if row["label"] == 1]
    return Question(
        concept.name,
        (NEGATIVES, *(control.name for control in concept.controls)),
        tuple(Passage(row["text"], tuple((a, b) for a, b in row["spans"] or ())) for _, _, row in found),
        torch.tensor([number for _, number, _ in found]),
        tuple(row["split"] for _, _, row in found),
        tuple(_unit(index, table, row) for index, (table, _, row) in enumerate(found)),
    )


def _unit(index: int, table: int, row: dict[str, Any]) -> Hashable:
    if row["group"] is not None:
        return ("group", row["group"])
    return ("row", index) if row["pair"] is None else ("pair", table, row["pair"])
