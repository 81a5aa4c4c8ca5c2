"""Directions that are taken away together: as one subspace, so that their order does not matter.

Taking one away and then another that is not orthogonal to it brings part of the first back. Together they are one oblique
projection P = Wᵀ (R Wᵀ)⁺ R of the rows R that read and W that write, which for orthonormal rows is the projection onto
their span: a direction given twice counts once, and orthogonal ones go as they would one after the other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import combinations, product

import torch
from torch import Tensor

from cutaway.network import Site
from cutaway.network.site import Index
from cutaway.submodels.directions import Directions

ALONG = ("neuron", "channel", "expert")  # selectors that pick from the axis that directions lie in
SAME = 1e-3  # sine of the angle under which two directions are one, and cosine over which they are not orthogonal


def joined(kinds: Sequence[Directions], sliced: Sequence[Site] = ()) -> list[Directions]:
    """Directions that, taken away one after the other, take all of `kinds` away, beside the slices `sliced` of their sites.

    One for each selection, the wider first; a narrower one takes away what holds in the wider one too. Raises ValueError
    where selections cross (`[pos=-1]` and `[pos=2:]`) and what is picked is not orthogonal, or where rows have no joint
    projection.
    """
    for one, other in combinations(kinds, 2):
        _check_crossing(one, other)
    found = []
    for site in sorted({kind.site for kind in kinds}, key=lambda site: (len(site.select), str(site))):
        inside = [kind for kind in kinds if _within(site, kind.site)]
        gone = _coordinates(inside[0], site, sliced)
        if len(inside) == 1 and not len(gone):
            found.append(inside[0])
        else:
            found += _joint(inside, site, gone)
    return found


def _joint(kinds: Sequence[Directions], site: Site, gone: Tensor) -> list[Directions]:
    """The one projection for the rows of all kinds, apart from the coordinates `gone`; none if nothing is left of them."""
    read = torch.cat([kind.read.double() for kind in kinds])
    write = torch.cat([kind.out.to(read) for kind in kinds])
    scale = (write.norm(dim=1, keepdim=True) / read.norm(dim=1, keepdim=True)).sqrt()
    read, write = read * scale, write / scale  # P is the same; rows of one length can be held against one threshold
    read[:, gone] = write[:, gone] = 0
    u, size, v = torch.linalg.svd(read @ write.T)
    rank = int((size > SAME**2).sum())
    if any(int((torch.linalg.svdvals(rows) > SAME).sum()) != rank for rows in (read, write)):
        raise ValueError(
            f"{_names(kinds)} cannot be taken away together: what they read and what they write are not as many "
            "dimensions; take one of them away at a time, or give directions that write along what they read"
        )
    if not rank:
        return []
    root = size[:rank, None].sqrt()
    reading, writing = u[:, :rank].T @ read / root, v[:rank] @ write / root
    return [Directions(site, reading, writing, " + ".join(kind.label for kind in kinds))]


def _coordinates(kind: Directions, site: Site, sliced: Sequence[Site]) -> Tensor:
    """The coordinates of the rows that slices already take away in all of `site`."""
    gone = torch.zeros(kind.read.shape[1], dtype=torch.bool)
    for part in sliced:
        if not _meet(part, site) or _within(site, part):
            continue  # elsewhere, or all of it: then its baseline is there, whatever the directions do
        along = [(name, index) for name, index in part.select if name in ALONG]
        if not along:
            continue
        if not set(part.select) - set(along) <= set(site.select) or any(name in ALONG for name, _ in site.select):
            raise ValueError(
                f"{kind.name} and {part} overlap in a part of what each picks, so their order would matter; "
                f"take one of them away at a time, or give both the same positions"
            )
        for _, index in along:
            gone[slice(*index) if isinstance(index, tuple) else index] = True
    return gone.nonzero()[:, 0]


def _check_crossing(one: Directions, other: Directions) -> None:
    """Raises ValueError for directions at two selections that cross, unless neither reads what the other writes."""
    if not _meet(one.site, other.site):
        return
    same_width = one.read.shape[1] == other.read.shape[1]
    if same_width and (_within(one.site, other.site) or _within(other.site, one.site)):
        return
    pairs = ((one, other), (other, one))
    if same_width and all(float((a.read.double() @ b.out.to(a.read).double().T).abs().max()) < SAME for a, b in pairs):
        return
    raise ValueError(
        f"{_names([one, other])} overlap in a part of what each picks and are not orthogonal, so their order would "
        "matter; take one of them away at a time, or give both the same selectors"
    )


def _within(site: Site, wider: Site) -> bool:
    """Whether everything picked at `site` is also picked at `wider`."""
    return site.whole == wider.whole and set(wider.select) <= set(site.select)


def _meet(one: Site, other: Site) -> bool:
    """Whether two selections of a tensor may share something: what cannot be told without its size may."""
    if one.whole != other.whole:
        return False
    return not any(a == b and _apart(i, j) for (a, i), (b, j) in product(one.select, other.select))


def _apart(one: Index, other: Index) -> bool:
    """Whether two indices, counted from the same end, pick nothing in common."""
    first, second = _span(one), _span(other)
    if first is None or second is None or (first.start < 0) != (second.start < 0):
        return False
    return max(first.start, second.start) >= min(first.stop, second.stop)


def _span(index: Index) -> range | None:
    """The indices picked, counted from one end; None where they are counted from both."""
    start, stop = index if isinstance(index, tuple) else (index, index + 1 or None)
    if start is None:
        start = -sys.maxsize if stop is not None and stop < 0 else 0
    if stop is None:
        stop = 0 if start < 0 else sys.maxsize
    return range(start, stop) if (start < 0) == (stop <= 0) else None


def _names(kinds: Sequence[Directions]) -> str:
    return " and ".join(kind.name for kind in kinds)
