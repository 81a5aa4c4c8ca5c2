"""Where to look closer: the used parts of a circuit in fewer neurons each time, and nothing else in pieces.

A graph of all neurons has too many edges to search; a part that carries nothing has no piece that a trace needs. So the
MLPs that a circuit names go into a few groups of neurons, the groups that the next circuit names into smaller ones, down to
single neurons: the cost grows with what is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch

from cutaway.decisions.graph.parts import picked
from cutaway.network import AddressError, Batch, Network, Site


def closer(net: Network, batch: Batch, parts: Iterable[str], groups: int = 8) -> list[str]:
    """Addresses of up to `groups` equal groups of neurons of each MLP, or group of neurons, among `parts`.

    `closer(net, batch, ["mlp_out.2"], 2)` of an MLP of 12 neurons is `mlp_act.2[neuron=0:6]` and `mlp_act.2[neuron=6:12]`;
    give them to `graph(net, batch, refine=…)`. Single neurons stay as they are; parts of another kind (heads, features, a
    rest) and MLPs whose neurons are not seen have no groups. Raises ValueError for fewer than 2 groups.
    """
    if groups < 2:
        raise ValueError(f"groups={groups}; expected at least 2, so that a part comes apart")
    found: list[str] = []
    sizes: dict[Site, int] = {}
    for part in dict.fromkeys(parts):
        neurons = _neurons(part)
        try:
            if neurons is not None and neurons.whole not in sizes:
                few = batch.take(torch.arange(1))
                sizes[neurons.whole] = net.read(few, neurons.whole)[str(neurons.whole)].shape[-1]
        except AddressError:
            continue
        if neurons is not None:
            found += _cut(neurons, sizes[neurons.whole], groups)
    return found


def _neurons(part: str) -> Site | None:
    """The neurons of a part: all of an MLP's, or the group that it is."""
    site = Site.maybe(part)
    if site is None:
        return None
    if site.point in ("mlp_out", "mlp_out_post") and not site.select:
        return Site("mlp_act", site.layer)
    return site if site.point == "mlp_act" and [name for name, _ in site.select] in ([], ["neuron"]) else None


def _cut(site: Site, size: int, groups: int) -> list[str]:
    """The neurons picked at `site` in groups that differ by one at most."""
    among = picked(dict(site.select).get("neuron", (None, None)), size)
    count = min(groups, len(among))
    edges = [among.start + len(among) * i // max(count, 1) for i in range(count + 1)]
    spans = [slice(a, b) for a, b in pairwise(edges)]
    return [str(site.whole.at(neuron=s.start if s.stop - s.start == 1 else s)) for s in spans]
