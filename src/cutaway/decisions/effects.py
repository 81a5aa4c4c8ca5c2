"""Exact effects of taking parts away: rerun by rerun, total and direct, kept on disk part by part if asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.decisions.fingerprint import fingerprint, of_kinds
from cutaway.network import Add, Edit, Network, Site, Variant, sweep
from cutaway.runs.progress import Progress, silent
from cutaway.runs.resume import resumable
from cutaway.submodels import Baseline, SubModel, take_away
from cutaway.submodels.submodel import sites_of

CONTRIBUTION = {
    "z": "attn_out_post",
    "attn_out": "attn_out_post",
    "mlp_out": "mlp_out_post",
    "mlp_act": "mlp_out_post",
    "mixer_out": "mixer_out_post",
    "cross_z": "cross_out_post",
    "cross_out": "cross_out_post",
}


@dataclass(frozen=True)
class Effect:
    """Change of the decision when one part takes the baseline's values, per draw and row.

    `exact`: everything downstream recomputed. `direct`: only what the part itself adds to the last residual stream changes
    (None where the stream is no sum). `moved`: norm of the change relative to the part. `distance`: how far the values that
    stand in are from natural ones (1 is typical, None unknown).
    """

    exact: Float[Tensor, "draws rows"]
    direct: Float[Tensor, "draws rows"] | None
    moved: float
    distance: float | None = None


def effects(
    net: Network,
    posed: Posed,
    parts: Sequence[SubModel],
    baseline: Baseline,
    keep: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> tuple[list[Effect], tuple[str, ...]]:
    """The exact effect of taking each part away, with every draw of the baseline; and what the engine noted.

    `keep` is a folder in which finished groups of parts are kept: after Ctrl-C the same call goes on where it was.
    """
    groups = _groups(net, parts)
    notes: list[str] = []

    def measure(group: Sequence[int]) -> list[dict[str, Any]]:
        return _measure(net, posed, [parts[i] for i in group], baseline, notes)

    if keep is None:
        progress.start(len(groups), "exact effects")
        found = []
        for group in groups:
            found.append(measure(group))
            progress.advance(1)
        progress.finish()
    else:
        print_ = fingerprint(net, posed, baseline)
        found = resumable(
            keep,
            measure,
            groups,
            lambda group: {"parts": [_key(parts[i]) for i in group], "on": print_},
            progress=progress,
        )
    results: list[Effect | None] = [None] * len(parts)
    for group, answers in zip(groups, found):
        for i, answer in zip(group, answers):
            direct = None if answer["direct"] is None else torch.tensor(answer["direct"])
            results[i] = Effect(torch.tensor(answer["exact"]), direct, answer["moved"], answer["distance"])
    return [effect for effect in results if effect is not None], tuple(dict.fromkeys(notes))


def _groups(net: Network, parts: Sequence[SubModel]) -> list[list[int]]:
    """Parts of one block together: they share everything before it."""
    by_layer: dict[Any, list[int]] = {}
    for i, part in enumerate(parts):
        layer = min((site.layer if site.layer is not None else -1 for site in sites_of(net, part)), default=-1)
        by_layer.setdefault(layer, []).append(i)
    return [by_layer[layer] for layer in sorted(by_layer)]


def _measure(
    net: Network, posed: Posed, parts: Sequence[SubModel], baseline: Baseline, notes: list[str]
) -> list[dict[str, Any]]:
    reads = [_contribution(net, part) if posed.metric.last else None for part in parts]
    variants = [
        Variant(take_away(net, part, baseline, draw), part.name, () if read is None else (read,))
        for part, read in zip(parts, reads)
        for draw in range(baseline.draws)
    ]
    swept = sweep(net, posed.batch, variants, posed.metric)
    notes += swept.notes
    direct = _direct(net, posed, [v.read for v in variants], swept.read) if any(reads) else None
    answers = []
    for place, read in enumerate(reads):
        here = slice(place * baseline.draws, (place + 1) * baseline.draws)
        receipts = [receipt for one in swept.receipts[here] for receipt in one]
        far = [receipt.distance for receipt in receipts if receipt.distance is not None]
        answers.append(
            {
                "exact": swept.effect[here].tolist(),
                "direct": None if read is None or direct is None else direct[here].tolist(),
                "moved": sum(receipt.relative for receipt in receipts) / max(1, len(receipts)),
                "distance": sum(far) / len(far) if far else None,
            }
        )
    return answers


def _contribution(net: Network, part: SubModel) -> Site | None:
    """Where a part of one block enters the residual stream, at the last position; None where that is not a sum."""
    sites = sites_of(net, part)
    if len(sites) != 1 or sites[0].point not in CONTRIBUTION or not net.layout.additive:
        return None
    site = Site(CONTRIBUTION[sites[0].point], sites[0].layer)
    last = net.layout.ports.get(("resid_post", net.layout.layers - 1))
    if (site.point, site.layer) not in net.layout.ports or last is None or ("final_norm", None) not in net.layout.ports:
        return None
    return site.at(pos=-1)


def _direct(
    net: Network, posed: Posed, reads: Sequence[tuple[Site, ...]], found: Sequence[Mapping[str, Tensor]]
) -> Float[Tensor, "variants rows"]:
    """The decision after adding to the last residual stream what each variant's contribution changed by, and nothing else."""
    wanted = list(dict.fromkeys(site for read in reads for site in read))
    clean = net.read(posed.batch, *wanted)
    stream = Site("resid_post", net.layout.layers - 1, select=(("pos", -1),))
    variants = []
    for read, tensors in zip(reads, found):
        change = torch.zeros(())
        for site in read:
            scale = net.layout.scale.get((site.point, site.layer), 1.0)
            change = scale * (tensors[str(site)] - clean[str(site)])
        variants.append(Variant((Edit(stream, Add(change)),) if read else ()))
    return sweep(net, posed.batch, variants, posed.metric).effect


def _key(part: SubModel) -> list[Any]:
    """What a part is, as JSON: its addresses, and a hash of its decompositions."""
    return [list(part.parts), of_kinds(part.decompositions) if part.decompositions else ""]
