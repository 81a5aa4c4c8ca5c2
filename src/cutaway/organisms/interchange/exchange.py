"""Which edges carry another input's values in each row of a training batch.

Edges of the program ("links") are cut alone, in random halves, or all those that leave one variable. All other edges,
which the program does not have, are cut alone, part by part, in random halves, all at once or by random strengths, and
must change nothing: this makes a network strict on edges. Strict interchange training as published exchanges whole parts
(Gupta et al. 2024, arXiv 2407.14494) and leaves other edges free to carry something; it is here for comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.organisms.interchange.forward import Edges

How = Literal["edges", "parts", "task"]
"""What is exchanged in training: single edges too; whole parts only; nothing (the task alone)."""

LINKS = {"none": 0.3, "single": 0.3, "half": 0.2, "variable": 0.2}
OTHERS = {"none": 0.15, "single": 0.15, "part": 0.1, "half": 0.2, "all": 0.25, "strengths": 0.15}


@dataclass(frozen=True, eq=False)
class Exchanger:
    """Draws cuts for the edges of a network of which those numbered `links` are the program's, in its order."""

    edges: Edges
    links: tuple[int, ...]
    how: How = "edges"

    @cached_property
    def others(self) -> tuple[int, ...]:
        """The edges that the program does not have."""
        return tuple(edge for edge in range(len(self.edges)) if edge not in set(self.links))

    def draw(self, rows: int, generator: torch.Generator) -> Float[Tensor, "row edge"]:
        """Strengths of all edges, each row with its own cut."""
        everything = torch.zeros(rows, len(self.edges))
        if self.how == "task":
            return everything
        if self.how == "parts":
            return self._parts(rows, generator)
        own, others = torch.tensor(self.links), torch.tensor(self.others)
        everything[:, own] = self._links(rows, own, generator)
        everything[:, others] = self._others(rows, others, generator)
        return everything

    def cut(self, strength: Float[Tensor, "row edge"]) -> Bool[Tensor, "row link"]:
        """Which of the program's links are cut."""
        return strength[:, list(self.links)] > 0.5

    def _parts(self, rows: int, generator: torch.Generator) -> Float[Tensor, "row edge"]:
        """All edges that leave one part, or each part of a random half."""
        writers = self._writers(torch.arange(len(self.edges)))
        half = torch.rand(rows, len(self.edges.writers), generator=generator) < 0.5
        kinds = {"one": _with_one(writers, rows, generator), "half": half[:, writers].float()}
        return _mixed(kinds, {"one": 0.5, "half": 0.5}, generator)

    def _writers(self, numbers: Int[Tensor, "some"]) -> Int[Tensor, "some"]:
        """The number of the writer at the start of each of these edges."""
        names = [self.edges.names[number].split(" → ")[0] for number in numbers.tolist()]
        return torch.tensor([self.edges.writers.index(name) for name in names])

    def _links(self, rows: int, own: Int[Tensor, "link"], generator: torch.Generator) -> Float[Tensor, "row link"]:
        kinds = {
            "none": torch.zeros(rows, len(own)),
            "single": _one_of(rows, len(own), generator),
            "half": (torch.rand(rows, len(own), generator=generator) < 0.5).float(),
            "variable": _with_one(self._writers(own), rows, generator),
        }
        return _mixed(kinds, LINKS, generator)

    def _others(
        self, rows: int, others: Int[Tensor, "other"], generator: torch.Generator
    ) -> Float[Tensor, "row other"]:
        random = torch.rand(rows, len(others), generator=generator)
        kinds = {
            "none": torch.zeros_like(random),
            "single": _one_of(rows, len(others), generator),
            "part": _with_one(self._writers(others), rows, generator),
            "half": (random < 0.5).float(),
            "all": torch.ones_like(random),
            "strengths": random,
        }
        return _mixed(kinds, OTHERS, generator)


def _one_of(rows: int, count: int, generator: torch.Generator) -> Float[Tensor, "row edge"]:
    """One edge a row."""
    return torch.eye(count)[torch.randint(count, (rows,), generator=generator)]


def _with_one(writers: Int[Tensor, "edge"], rows: int, generator: torch.Generator) -> Float[Tensor, "row edge"]:
    """All edges of one writer a row."""
    among = writers.unique()
    chosen = among[torch.randint(len(among), (rows,), generator=generator)]
    return (chosen[:, None] == writers).float()


def _mixed(
    kinds: dict[str, Float[Tensor, "row edge"]], shares: dict[str, float], generator: torch.Generator
) -> Float[Tensor, "row edge"]:
    """Each row of the kind that it draws."""
    rows = len(next(iter(kinds.values())))
    drawn = torch.multinomial(torch.tensor([shares[kind] for kind in kinds]), rows, True, generator=generator)
    return torch.stack(list(kinds.values()))[drawn, torch.arange(rows)]
