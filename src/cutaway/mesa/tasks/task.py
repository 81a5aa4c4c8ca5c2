"""What a family of in-context problems is."""

from __future__ import annotations

from typing import Protocol

from cutaway.mesa.prompts import Prompts


class Task(Protocol):
    """Problems of one kind and size."""

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        ...

    @property
    def points(self) -> int:
        """Labelled points of a problem."""
        ...

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many problems, in float64; where tasks come from a pool, `novel` ones are drawn afresh instead."""
        ...
