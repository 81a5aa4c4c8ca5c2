"""The weights of a network by kind: which matrices a pressure may thin out, and how many of their entries are not 0."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

LANES = {"query": 0, "key": 0, "value": 0, "out": 1, "up": 0, "down": 1}
"""Which axis of a block's matrix counts its neurons or head channels: 0 if each is a row, 1 if each is a column."""

TABLES = ("embed", "position", "unembed", "bigram")
"""Matrices of which one side is tokens or positions."""


@dataclass(frozen=True)
class Matrix:
    """A weight matrix and the name of its parameter; `kind` is the module's name in `LANES` or `TABLES`."""

    name: str
    kind: str
    weight: nn.Parameter

    @property
    def table(self) -> bool:
        """Whether one side is tokens or positions."""
        return self.kind in TABLES

    @property
    def key(self) -> str:
        """The name as a buffer may be called."""
        return self.name.replace(".", "/")

    @property
    def lanes(self) -> tuple[int, int]:
        """How many neurons or channels it has, and how many entries each; (0, 0) for tables."""
        if self.table:
            return 0, 0
        rows, columns = self.weight.shape
        return (rows, columns) if LANES[self.kind] == 0 else (columns, rows)

    def by_lane(self, entries: Float[Tensor, "row column"]) -> Float[Tensor, "lane entry"]:
        """A tensor of this matrix's shape with its neurons or channels as rows."""
        return entries if LANES[self.kind] == 0 else entries.mT


def matrices(network: nn.Module, dense: Collection[str] = ()) -> tuple[Matrix, ...]:
    """The weight matrices of a network but those of the kinds in `dense`; biases, gains and sinks are none.

    Raises ValueError for a matrix of a kind that is not known, and where nothing is left.
    """
    found = []
    for name, weight in network.named_parameters():
        kind = kind_of(name)
        if weight.ndim != 2 or kind in dense:
            continue
        if kind not in LANES and kind not in TABLES:
            raise ValueError(
                f"the matrix {name} is of no known kind; expected {', '.join((*LANES, *TABLES))}; name it in dense= to leave it"
            )
        found.append(Matrix(name, kind, weight))
    if not found:
        raise ValueError(f"{type(network).__name__} has no matrices but {', '.join(dense) or 'none'}; nothing to press")
    return tuple(found)


def kind_of(name: str) -> str:
    """The kind of a parameter: `blocks.0.mlp.up.weight` is an `up`, `blocks.0.mlp.up.bias` a `bias`."""
    module, last = ["", *name.split(".")][-2:]
    return module if last == "weight" else last


def live(network: nn.Module) -> dict[str, dict[str, int]]:
    """For each kind of parameter, biases, gains and sinks too: how many entries are not 0, counted, and of how many."""
    found: dict[str, dict[str, int]] = {}
    for name, weight in network.named_parameters():
        counts = found.setdefault(kind_of(name), {"live": 0, "of": 0})
        counts["live"] += int(weight.detach().count_nonzero())
        counts["of"] += weight.numel()
    return found


def largest(scores: Float[Tensor, "*axes"], count: int) -> Bool[Tensor, "*axes"]:
    """Exactly `count` entries, those with the largest scores; of equal ones those that come first."""
    if count >= scores.numel():
        return torch.ones_like(scores, dtype=torch.bool)
    if count <= 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    scores = scores.contiguous()
    least = rank(scores.view(1, -1), count)[0]
    chosen = scores >= least
    surplus = int(chosen.count_nonzero()) - count
    if surplus:
        chosen.view(-1)[scores.view(-1).eq(least).nonzero()[-surplus:, 0]] = False
    return chosen


def largest_of_each(scores: Float[Tensor, "lane entry"], count: int) -> Bool[Tensor, "lane entry"]:
    """Exactly `count` entries of each row, those with the largest scores; of equal ones those that come first."""
    least = rank(scores, count)[:, None]
    chosen = scores >= least
    if int(chosen.count_nonzero()) == count * len(scores):
        return chosen
    above, equal = scores > least, scores == least
    return above | (equal & (equal.cumsum(1) <= count - above.sum(1, keepdim=True)))


def rank(scores: Float[Tensor, "row entry"], count: int) -> Float[Tensor, "row"]:
    """The `count`-th largest score of each row."""
    place = scores.shape[1] - count
    if scores.device.type == "cpu" and scores.dtype in (torch.float32, torch.float64):
        # A selection in vector instructions: several times faster than torch's kthvalue and topk on a CPU.
        return torch.from_numpy(np.partition(scores.numpy(), place, axis=1)[:, place])
    return scores.kthvalue(place + 1, dim=1).values
