"""A sub-model: a named set of parts, over any number of decompositions and places, and how to take it away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from cutaway.network import AddressError, Edit, Natural, Network, Put, Site
from cutaway.submodels.baseline import Baseline
from cutaway.submodels.decomposition import Decomposition, mask_without, masked
from cutaway.submodels.directions import Directions
from cutaway.submodels.joint import joined
from cutaway.submodels.slices import Slice


@dataclass(frozen=True)
class SubModel:
    """A named set of parts of a network.

    `parts` are addresses (`z.9[head=6]`, `mlp_out.3`, `path.layer1:out[channel=3]`); those of decompositions other than
    slices are the names that their `decompositions` give. `labels` say what it is thought to be, `evidence` why,
    `provenance` how it was found.
    """

    name: str
    parts: tuple[str, ...]
    decompositions: tuple[Decomposition, ...] = ()
    labels: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in self.parts:
            if sum(part in kind.parts for kind in self.decompositions) > 1:
                raise ValueError(
                    f"{part!r} is a part of two different decompositions of {self.name!r}; give their directions different labels"
                )

    def __str__(self) -> str:
        label = f" “{', '.join(self.labels)}”" if self.labels else ""
        shown = ", ".join(self.parts[:4]) + (f" and {len(self.parts) - 4} more" if len(self.parts) > 4 else "")
        return f"{self.name}{label}: {shown}"

    def __or__(self, other: SubModel) -> SubModel:
        """The union of two sub-models: all labels, and evidence and provenance of each under its name."""
        both = (self, other)
        return SubModel(
            f"{self.name} + {other.name}",
            tuple(dict.fromkeys([*self.parts, *other.parts])),
            tuple(dict.fromkeys([*self.decompositions, *other.decompositions])),
            tuple(dict.fromkeys([*self.labels, *other.labels])),
            {one.name: one.evidence for one in both if one.evidence},
            {one.name: one.provenance for one in both if one.provenance},
        )


def as_submodel(what: SubModel | Site | str | Iterable[SubModel | Site | str]) -> SubModel:
    """A sub-model from an address, a sub-model, or several of either."""
    if isinstance(what, SubModel):
        return what
    if isinstance(what, str | Site):
        return SubModel(str(what), (str(what),))
    several = [as_submodel(one) for one in what]
    if not several:
        return SubModel("nothing", ())
    union = several[0]
    for one in several[1:]:
        union = union | one
    return union


def sites_of(net: Network, submodel: SubModel) -> list[Site]:
    """The whole sites that taking the sub-model away writes to, then those it reads. Raises `AddressError` with near names."""
    sites: list[Site] = []
    for part in submodel.parts:
        owner = _owner(submodel, part)
        sites += (
            [site.whole for site in (*owner.writes, *owner.reads)] if owner is not None else [_known(net, part).whole]
        )
    return list(dict.fromkeys(sites))


def _owner(submodel: SubModel, part: str) -> Decomposition | None:
    return next((kind for kind in submodel.decompositions if part in kind.parts), None)


def _known(net: Network, part: str) -> Site:
    try:
        site = Site.parse(part)
        net.port(site)
    except AddressError as error:
        near = get_close_matches(part, [str(site) for site in net.sites()], n=3, cutoff=0.4)
        raise AddressError(
            f"{error}" + (f"; near names: {', '.join(near)}" if near and "near names" not in str(error) else "")
        ) from None
    return site


def take_away(net: Network, submodel: SubModel, baseline: Baseline, draw: int = 0) -> tuple[Edit, ...]:
    """The edits that put draw number `draw` of the baseline in the place of every part.

    Directions of one tensor are taken away as one subspace (`joined`), so that the order of parts does not matter.
    Raises ValueError where directions overlap in a way that has no such subspace.
    """
    edits: list[Edit] = []
    sliced: list[Site] = []
    by_kind: dict[str, tuple[Decomposition, list[str]]] = {}
    for part in submodel.parts:
        owner = _owner(submodel, part)
        if owner is not None:
            by_kind.setdefault(owner.name, (owner, []))[1].append(part)
            sliced += [Site.parse(part)] if isinstance(owner, Slice) else []
            continue
        site = _known(net, part)
        sliced.append(site)
        edits.append(Edit(site, _put(net, site, baseline, draw), natural=_natural(net, site, baseline)))
    for kind, parts in by_kind.values():
        if not isinstance(kind, Directions):
            edits += _mask_off(net, kind, parts, baseline, draw)
    for kind in joined([kind for kind, _ in by_kind.values() if isinstance(kind, Directions)], sliced):
        edits += _mask_off(net, kind, list(kind.parts), baseline, draw)
    return tuple(edits)


def _mask_off(
    net: Network, kind: Decomposition, parts: Sequence[str], baseline: Baseline, draw: int
) -> tuple[Edit, ...]:
    """The edits that put the baseline's code in the place of some parts of a decomposition."""
    code: Any = 0.0
    if baseline.kind != "zero":
        code = kind.encode({site: picked_of(net, site, baseline, draw) for site in kind.reads})
    return masked(kind, mask_without(kind, parts), code)


def _put(net: Network, site: Site, baseline: Baseline, draw: int) -> Put:
    return Put(0.0) if baseline.kind == "zero" else Put(picked_of(net, site, baseline, draw))


def _natural(net: Network, site: Site, baseline: Baseline) -> Natural | None:
    """What is natural at the picked part."""
    whole = baseline.natural.get(site.whole)
    if whole is None:
        return None
    index = net.port(site).index_of(site, whole.mean.ndim)
    return Natural(whole.mean[index], whole.variance[index])


def picked_of(net: Network, site: Site, baseline: Baseline, draw: int) -> Tensor:
    """The picked part of a baseline's value; axes that the value keeps at size 1 (a mean's) are not picked from."""
    if site.whole not in baseline.values[draw]:
        given = ", ".join(map(str, baseline.values[draw])) or "none"
        raise ValueError(f"the baseline holds no value for {site.whole}; it was given {given}")
    value = baseline.values[draw][site.whole]
    if value.ndim == 0:
        return value
    index = net.port(site).index_of(site, value.ndim)
    kept = tuple(slice(None) if value.shape[i] == 1 else where for i, where in enumerate(index))
    return value[kept]


def random_parts(net: Network, pool: Sequence[str], count: int, seed: int) -> SubModel:
    """`count` parts drawn from `pool`: the control beside a named sub-model."""
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed)).tolist()
    return SubModel(f"random {count}", tuple(pool[i] for i in order[:count]))
