"""Graphs with parts in pieces: a cutter of the same decision, a dictionary with an encoder that is not linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network, Site
from cutaway.submodels import baseline


def refined(given: Cutter, *refine: Any) -> Cutter:
    """The same decision and stand-ins with these parts in pieces."""
    found = graph(given.net, given.posed.batch, refine)
    other = given.posed.decision.counterfactual
    values = baseline(given.net, given.posed.batch, found.sites, given.values.kind, counterfactual=other)
    return replace(given, graph=found, values=values)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """ReLU features with a bias, read at one site and written at another: a small dictionary, or a transcoder."""

    read: Site
    write: Site
    encoder: Tensor
    bias: Tensor
    decoder: Tensor
    label: str = "feature"

    @property
    def name(self) -> str:
        return f"{self.label}@{self.write}"

    @property
    def reads(self) -> tuple[Site, ...]:
        return (self.read,)

    @property
    def writes(self) -> tuple[Site, ...]:
        return (self.write,)

    @property
    def atoms(self) -> int:
        return len(self.bias)

    @property
    def parts(self) -> Mapping[str, Sequence[int]]:
        return {f"{self.name}:{atom}": (atom,) for atom in range(self.atoms)}

    def encode(self, h: Mapping[Site, Tensor]) -> Tensor:
        return torch.relu(h[self.read] @ self.encoder + self.bias)

    def decode(self, code: Tensor, site: Site) -> Tensor:
        return code @ self.decoder.to(code)

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        return None

    def describe(self) -> dict[str, Any]:
        return {}

    def tensors(self) -> dict[str, Tensor]:
        return {}


def dictionary(read: str, write: str, inner: int, width: int, atoms: int = 5, seed: int = 0) -> Dictionary:
    """Random features: far from a good dictionary, so that much is left to the error."""
    draw = torch.Generator().manual_seed(seed)
    made = [
        torch.randn(size, generator=draw, dtype=torch.float64) for size in ((inner, atoms), (atoms,), (atoms, width))
    ]
    return Dictionary(Site.parse(read), Site.parse(write), *made)
