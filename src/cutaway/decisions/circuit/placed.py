"""At which positions the edges of a circuit carry their shares, whatever the lengths of the prompts.

The share of an edge is known by position: that of the stream where the writer wrote and the reader looks. Prompts of
different lengths are counted from their start or from their end, part by part: from where the shares of its edges lie
closer together (the sum of the squares of the mean |share| at each position is larger).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.decisions.graph.graph import Graph
from cutaway.network import Batch

LISTED = 0.1  # of an edge's absolute share: what a position must carry to be listed
HERE = ("q", "mlp", "out")  # ways of reading at the part's own position

Place = int | None
"""A position: from the start (0 and more) or from the end (−1 is the last); None: all that carry too little to be listed."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The shares of the `named` edges by position, each a part of the total. Edges go by their place in `named`."""

    graph: Graph
    named: tuple[int, ...]
    score: Float[Tensor, "edges batch position"]
    batch: Batch
    known: dict[tuple[int, bool], dict[Place, float]] = field(default_factory=dict)

    # who reads from whom ----------------------------------------------------------------------------------------------

    def writer(self, i: int) -> str:
        """The part that writes edge `i`."""
        return self.graph.writers[self.graph.edges[self.named[i]][0]].part

    def reader(self, i: int) -> str:
        """The part that reads it: with shared keys and values the whole group of heads."""
        return self.graph.readers[self.graph.edges[self.named[i]][1]].part

    def way(self, i: int) -> str:
        """The way in: q, k, v, mlp, …"""
        return self.graph.readers[self.graph.edges[self.named[i]][1]].through

    def targets(self, i: int) -> list[str]:
        """The parts that read edge `i`: of a group of heads with shared keys those that write in the circuit."""
        fed = self.graph.feeds[self.graph.edges[self.named[i]][1]].nonzero()[:, 0].tolist()
        return [part for x in fed if (part := self.graph.writers[x].part) in self.written] or [self.reader(i)]

    @cached_property
    def written(self) -> dict[str, list[int]]:
        """The edges that each part writes."""
        found: dict[str, list[int]] = {}
        for i in range(len(self.named)):
            found.setdefault(self.writer(i), []).append(i)
        return found

    @cached_property
    def entering(self) -> dict[str, list[int]]:
        """The edges that enter each part."""
        found: dict[str, list[int]] = {}
        for i in range(len(self.named)):
            for part in self.targets(i):
                found.setdefault(part, []).append(i)
        return found

    # where ------------------------------------------------------------------------------------------------------------

    def at(self, i: int, part: str) -> dict[Place, float]:
        """The signed share of edge `i` at each listed position as `part` counts them; the rest under None.

        An edge without any share (a saturated one) has it all under None.
        """
        key = (i, part in self.counted_from_end)
        if key not in self.known:
            self.known[key] = self._at(*key)
        return self.known[key]

    def _at(self, i: int, ended: bool) -> dict[Place, float]:
        by_row = (self.from_end if ended else self.from_start)[i]
        if self.batch.positions is None:
            return {None: float(by_row.sum(1).mean())}
        size, signed = by_row.abs().mean(0), by_row.mean(0)
        whole, count = float(size.sum()), len(size)
        listed = [p for p in range(count) if whole > 0 and float(size[p]) >= LISTED * whole]
        found: dict[Place, float] = {p - count if ended else p: float(signed[p]) for p in listed}
        rest = [p for p in range(count) if p not in set(listed)]
        if not listed or float(size[rest].sum()) >= LISTED * whole:
            found[None] = float(signed[rest].sum())
        return found

    @cached_property
    def from_start(self) -> Float[Tensor, "edges batch position"]:
        """Shares with the first token of each prompt in the first column."""
        rows = [self.from_end[:, row].roll(-pad, dims=-1) for row, pad in enumerate(padding(self.batch).tolist())]
        return torch.stack(rows, dim=1)

    @cached_property
    def from_end(self) -> Float[Tensor, "edges batch position"]:
        """Shares with the last token of each prompt in the last column, as the batch has them."""
        return self.score[list(self.named)] / (float(self.score.sum((0, 2)).mean()) or 1.0)

    @cached_property
    def counted_from_end(self) -> frozenset[str]:
        """Parts whose positions lie closer together when counted from the end of the prompts."""
        if not bool(padding(self.batch).any()):
            return frozenset()
        edges: dict[str, list[int]] = {part: list(some) for part, some in self.written.items()}
        for part, some in self.entering.items():
            edges.setdefault(part, []).extend(i for i in some if self.way(i) in HERE)
        start, end = ((x.abs().mean(1) ** 2).sum(1) for x in (self.from_start, self.from_end))
        return frozenset(part for part, some in edges.items() if float(end[some].sum()) > float(start[some].sum()))


def padding(batch: Batch) -> Int[Tensor, "batch"]:
    """How many positions of padding stand before each prompt."""
    if batch.real is None:
        return torch.zeros(batch.rows, dtype=torch.long)
    return (~batch.real).sum(1).cpu()
