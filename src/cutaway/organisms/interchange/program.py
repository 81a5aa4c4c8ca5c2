"""What a network is trained to implement: a task as variables, each computed by one part from what it reads of others.

The program is a causal model that is run under the same interventions as the network: where a link is cut, its reader is
given the value of another input. So it says for any set of cut links what the network must answer (interchange
interventions: Geiger et al. 2022, arXiv 2112.00826).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Rows = Int[Tensor, "row position"]
EMBED = "embed"


@dataclass(frozen=True)
class Read:
    """A link of the program: `variable` (or the tokens, "embed") read `through` queries, keys, values or an MLP."""

    variable: str
    through: Literal["q", "k", "v", "mlp"]


@dataclass(frozen=True)
class Variable:
    """A value at every position, made by one head or MLP block of `layer` from what it reads, in the order of `reads`."""

    name: str
    kind: Literal["head", "mlp"]
    layer: int
    reads: tuple[Read, ...]
    value: Callable[..., Rows]


@dataclass(frozen=True)
class Link:
    """One reading of one variable; `reader` "output": the answer is the variable's value at the last position."""

    variable: str
    reader: str
    through: str


@dataclass(frozen=True)
class Program:
    """A task on rows of `length` tokens whose right next token is the last variable's value at the last position.

    `sample` draws rows; any variable of one row must be a legal value in any other, so that every exchange has a right
    answer. `uses` says which links matter in a row's decision (default: all), in the order of `links`.
    """

    name: str
    description: str
    vocabulary: tuple[str, ...]
    length: int
    layers: int
    variables: tuple[Variable, ...]
    sample: Callable[[int, torch.Generator], Rows]
    uses: Callable[[Rows], Bool[Tensor, "row link"]] | None = None

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every link, variable by variable, and the one to the output."""
        inner = [Link(read.variable, one.name, read.through) for one in self.variables for read in one.reads]
        return (*inner, Link(self.variables[-1].name, "output", "out"))

    def used(self, rows: Rows) -> Bool[Tensor, "row link"]:
        """Which links each row's decision depends on."""
        return torch.ones(len(rows), len(self.links), dtype=torch.bool) if self.uses is None else self.uses(rows)

    def answers(
        self, rows: Rows, others: Rows | None = None, cut: Bool[Tensor, "row link"] | None = None
    ) -> Int[Tensor, "row"]:
        """The right next token of each row, its `cut` links carrying what they carry on `others`."""
        if cut is None or others is None:
            return self._values(rows)[self.variables[-1].name][:, -1]
        given = self._values(others)
        now = self._values(rows, given, cut)
        last = self.variables[-1].name
        return torch.where(cut[:, -1], given[last][:, -1], now[last][:, -1])

    def _values(
        self, rows: Rows, given: dict[str, Rows] | None = None, cut: Bool[Tensor, "row link"] | None = None
    ) -> dict[str, Rows]:
        found, at = {EMBED: rows}, 0
        for one in self.variables:
            seen = []
            for read in one.reads:
                value = found[read.variable]
                if given is not None and cut is not None:
                    value = torch.where(cut[:, at, None], given[read.variable], value)
                seen.append(value)
                at += 1
            found[one.name] = one.value(*seen)
        return found

    def decisions(self, count: int, generator: torch.Generator) -> tuple[Rows, Rows]:
        """`count` different rows, each with another row such that cutting any one used link alone changes the answer."""
        rows, others = self.sample(200 * count, generator), self.sample(200 * count, generator)
        good = self.answers(rows) != self.answers(others)
        single = torch.eye(len(self.links), dtype=torch.bool)
        for link, needed in zip(single, self.used(rows).T):
            good &= (self.answers(rows, others, link.expand(len(rows), -1)) != self.answers(rows)) | ~needed
        chosen: dict[tuple[int, ...], int] = {}
        for index in good.nonzero()[:, 0].tolist():
            chosen.setdefault(tuple(rows[index].tolist()), index)
        first = list(chosen.values())[:count]
        if len(first) < count:
            raise ValueError(f"program {self.name!r} gave {len(first)} decisions, not {count}; give it a longer row")
        return rows[first], others[first]


def placed(program: Program, heads: int, rng: Random) -> dict[str, str]:
    """The address of the part that is to make each variable: random heads of its layer, or the layer's MLP block."""
    found = {EMBED: EMBED}
    for layer in range(program.layers):
        order = rng.sample(range(heads), heads)
        here = [one for one in program.variables if one.layer == layer]
        for one in here:
            found[one.name] = f"z.{layer}[head={order.pop()}]" if one.kind == "head" else f"mlp_out.{layer}"
    if len(set(found.values())) < len(found):
        raise ValueError(f"program {program.name!r} has two variables for one MLP block; give it another layer")
    return found


def link_names(links: Sequence[Link], places: dict[str, str]) -> tuple[str, ...]:
    """Links by the names of their edges in the network: `z.0[head=2] → z.1[head=0]/k`."""
    return tuple(
        f"{places[link.variable]} → "
        + ("output" if link.reader == "output" else f"{places[link.reader]}/{link.through}")
        for link in links
    )
