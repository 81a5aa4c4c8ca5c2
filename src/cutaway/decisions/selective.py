"""Does a part matter *more than chance* for this decision?

"Used" is true of a random network's heads too. A part is selective if the displacement that taking it away makes moves the
decision more than displacements of the same size at the same place that are about nothing in particular: differences
between other inputs (natural), and Gaussian draws with the place's own covariance. Rows whose displacements point alike
keep doing so in every null draw: what is drawn are the directions, not how the rows relate. Each null is pooled over parts after
scaling by each part's own spread (leave-one-out). The same displacement must also move this decision more than others of
the network (other_decisions.py). The largest p-value counts, and q-values are over every part looked at. On untrained
networks nothing may come out selective, at the promised rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.decisions.estimate import benjamini_hochberg
from cutaway.decisions.other_decisions import against_other_decisions
from cutaway.network import Add, Edit, Network, Site, Variant, sweep
from cutaway.submodels import SubModel, donors
from cutaway.submodels.submodel import sites_of

POOL = 32  # other inputs that natural differences and covariances are taken from
Displacement = Float[Tensor, "rows position width"]


@dataclass(frozen=True)
class Selectivity:
    """Per part: p (None: cannot be tested here), q over all parts looked at, and the null draws behind them.

    `smallest` is the smallest p that so many draws can give: where even that is no discovery, nothing can be.
    """

    p: tuple[float | None, ...]
    q: tuple[float | None, ...]
    draws: int
    smallest: float


def selectivity(
    net: Network, posed: Posed, parts: Sequence[SubModel], looked_at: int, nulls: int = 40, seed: int = 0
) -> Selectivity:
    """Tests `parts` (of `looked_at` in all: the others count with p = 1), `nulls` draws of each kind for each part."""
    generator = torch.Generator().manual_seed(seed + 7919)
    pool = donors(net, posed.batch, POOL, seed + 104729)
    places = [_place(net, part) for part in parts]
    sites = list(dict.fromkeys(site for place in places if place is not None for site in place))
    clean = net.read(posed.batch, *sites) if sites else {}
    others = net.read(pool, *sites) if sites else {}
    tested = [i for i, place in enumerate(places) if place is not None]
    if not tested:
        return Selectivity((None,) * len(parts), (None,) * len(parts), 0, 1.0)
    rows: list[Tensor] = []
    own: list[Variant] = []
    # One sweep for the parts of one block: they share everything before it, and all nulls at once would fill the memory.
    for block in _blocks(tested, places):
        variants: list[Variant] = []
        for i in block:
            place = places[i]
            assert place is not None
            read, write = place
            whole = _shift(net, parts[i], read, clean[str(read)], others[str(read)])
            variants += _displaced(net, write, whole, others[str(write)], nulls, generator)
            own.append(_moved(write, whole))
        rows.append(
            sweep(net, posed.batch, variants, posed.metric).effect.mean(1).abs().view(len(block), 1 + 2 * nulls)
        )
    effect = torch.cat(rows)
    p_natural, p_gaussian = (pooled(effect[:, 0], null) for null in (effect[:, 1 : 1 + nulls], effect[:, 1 + nulls :]))
    p = [max(a, b) for a, b in zip(p_natural, p_gaussian)]
    elsewhere = against_other_decisions(net, posed, own, generator)
    if elsewhere is not None:
        p = [max(a, b) for a, b in zip(p, elsewhere)]
    q = benjamini_hochberg([*p, *[1.0] * (looked_at - len(p))])
    out_p: list[float | None] = [None] * len(parts)
    out_q: list[float | None] = [None] * len(parts)
    for place_, i in enumerate(tested):
        out_p[i], out_q[i] = p[place_], q[place_]
    return Selectivity(tuple(out_p), tuple(out_q), nulls * len(tested), 1 / (1 + nulls * len(tested)))


def _blocks(tested: Sequence[int], places: Sequence[tuple[Site, Site] | None]) -> list[list[int]]:
    """Neighbours in the list of parts that are written at one site, together."""
    blocks: list[list[int]] = []
    for i in tested:
        if blocks and places[blocks[-1][0]] == places[i]:
            blocks[-1].append(i)
        else:
            blocks.append([i])
    return blocks


def _displaced(
    net: Network, write: Site, whole: Tensor, others: Tensor, nulls: int, generator: torch.Generator
) -> list[Variant]:
    """A part's own displacement, then `nulls` natural and `nulls` Gaussian ones of its size."""
    axes = net.port(write).axes
    channel = net.port(write).axes_for(whole.ndim).index("channel") if axes == () else whole.ndim - 1
    shift, pool = _by_position(whole, channel), _by_position(others, channel)
    variants, relation = [_moved(write, whole)], relations(shift)
    for draw in (_natural, _gaussian):
        drawn = draw(pool, nulls * relation.shape[-1], generator).unflatten(0, (nulls, -1))
        variants += [_moved(write, _as_it_was(redirected(relation, shift, d), whole, channel)) for d in drawn]
    return variants


def pooled(observed: Float[Tensor, "parts"], null: Float[Tensor, "parts draws"]) -> list[float]:
    """p-values of absolute effects against nulls pooled over parts, each scaled by its own part's spread.

    A null draw is scaled by the spread of the *other* draws of its part, so that it stands as the observation does.
    """
    square = null.double() ** 2
    spread = square.mean(1).sqrt()
    draws = null.shape[1]
    others = ((square.sum(1, keepdim=True) - square) / max(1, draws - 1)).sqrt()
    scaled = (null.double() / others.clamp(min=1e-30)).flatten()
    score = observed.double() / spread.clamp(min=1e-30)
    return [(1 + int((~(scaled < s)).sum())) / (1 + len(scaled)) for s in score]  # so that no NaN counts as a discovery


def _place(net: Network, part: SubModel) -> tuple[Site, Site] | None:
    """Where a part's values are read and where its displacement is made: for a head, attention's whole output."""
    sites = sites_of(net, part)
    if len(part.parts) != 1 or len(sites) != 1 or part.decompositions:
        return None
    site = sites[0]
    if site.point == "z":
        write = Site("attn_out", site.layer)
        return (
            (site, write)
            if site.layer in net.layout.projections and (write.point, write.layer) in net.layout.ports
            else None
        )
    return (site, site) if Site.parse(part.parts[0]).select == () and net.port(site).side == "out" else None


@torch.no_grad()
def _shift(net: Network, part: SubModel, read: Site, clean: Tensor, others: Tensor) -> Displacement:
    """The mean displacement that resampling the part makes at its place of writing."""
    if read.point != "z":
        return others.mean(0, keepdim=True) - clean
    site = Site.parse(part.parts[0])
    index = net.port(site).index_of(site, clean.ndim)
    change = torch.zeros_like(clean)
    change[index] = others[index].mean(0, keepdim=True) - clean[index]
    assert read.layer is not None
    project = net.wiring.modules[net.layout.projections[read.layer]]
    flat = change.flatten(-2)
    return project(flat) - project(torch.zeros_like(flat))


def _by_position(x: Tensor, channel: int) -> Displacement:
    """A tensor as [rows, position, width]: channels last, everything between (positions, space, nothing) as positions."""
    x = x.movedim(channel, -1)
    return x.flatten(1, -2) if x.ndim > 2 else x[:, None]


def _as_it_was(x: Displacement, like: Tensor, channel: int) -> Tensor:
    """The inverse of `_by_position`, in the shape of `like`."""
    return x.reshape(like.movedim(channel, -1).shape).movedim(-1, channel)


def relations(shift: Displacement) -> Float[Tensor, "position rows directions"]:
    """How the rows' displacements relate at each position: coordinates in an orthonormal basis that they span themselves.

    From a QR factorisation with a positive diagonal: one row has the one coordinate +norm.
    """
    _, r = torch.linalg.qr(shift.float().permute(1, 2, 0))
    signs = torch.where(torch.diagonal(r, dim1=-2, dim2=-1) < 0, -1.0, 1.0)
    return (signs[..., None] * r).transpose(-2, -1)


def redirected(
    relation: Float[Tensor, "position rows directions"],
    shift: Displacement,
    drawn: Float[Tensor, "directions position width"],
) -> Displacement:
    """Displacements as long as `shift`, row by row, whose directions are `drawn` and whose relation between rows is kept."""
    unit = drawn.float() / drawn.float().norm(dim=-1, keepdim=True).clamp(min=1e-12)
    moved = torch.einsum("prd,dpw->rpw", relation, unit)
    size = shift.float().norm(dim=-1, keepdim=True)
    return (size * moved / moved.norm(dim=-1, keepdim=True).clamp(min=1e-12)).to(shift.dtype)


def _natural(others: Tensor, count: int, generator: torch.Generator) -> Float[Tensor, "count position width"]:
    """Differences between pairs of other inputs, position by position."""
    first = torch.randint(len(others), (count,), generator=generator)
    second = (first + torch.randint(1, len(others), (count,), generator=generator)) % len(others)
    return others[first] - others[second]


def _gaussian(others: Tensor, count: int, generator: torch.Generator) -> Float[Tensor, "count position width"]:
    """Gaussian draws with the covariance of the other inputs: random sums of their centred values."""
    centred = (others - others.mean(0, keepdim=True)).flatten(0, -2).float()
    weights = torch.randn((count, others.shape[1], len(centred)), generator=generator).to(centred)
    return (weights @ centred) / len(centred) ** 0.5


def _moved(site: Site, shift: Tensor) -> Variant:
    return Variant((Edit(site, Add(shift)),))


__all__ = ["Selectivity", "pooled", "selectivity"]
