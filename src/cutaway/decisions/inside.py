"""The strongest neurons of each used MLP, and channels of each used module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.measuring import Measuring
from cutaway.network import Network, Site
from cutaway.submodels import SubModel, as_submodel
from cutaway.submodels.slices import slice_of


@dataclass(frozen=True)
class Place:
    """A part that can be looked into: the site whose neurons or channels (`by`) it is made of."""

    part: str
    site: Site
    by: str


@dataclass(frozen=True)
class Inner:
    """A neuron or channel, the part that it is within, and its first-order effect at each position."""

    within: str
    part: SubModel
    first: Tensor


def places(net: Network, rows: Sequence[dict[str, Any]]) -> list[Place]:
    """The used parts that can be looked into."""
    found = []
    for row in rows:
        if row["state"] != "used" or "[" in row["part"]:
            continue
        if row["kind"] == "mlp" and ("mlp_act", row["layer"]) in net.layout.ports:
            found.append(Place(row["part"], Site("mlp_act", row["layer"]), "neuron"))
        if row["kind"] == "module":
            found.append(Place(row["part"], Site.parse(row["part"]), "channel"))
    return found


def strongest(at: Measuring, within: Sequence[Place], most: int) -> list[Inner]:
    """The `most` strongest of each place, by first order."""
    shapes = at.net.read(at.posed.batch, *[place.site for place in within])
    groups = [
        [as_submodel(name) for name in slice_of(at.net, place.site, place.by, shapes[str(place.site)]).parts]
        for place in within
    ]
    first = iter(at.first_order([part for group in groups for part in group]))
    found = []
    for place, group in zip(within, groups):
        scores = [next(first) for _ in group]
        top = torch.stack(scores).sum(1).abs().topk(min(most, len(scores))).indices.tolist()
        found += [Inner(place.part, group[i], scores[i]) for i in top]
    return found
