"""The catalogue of a network: every sub-model of the kinds asked for, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from cutaway.network import Batch, Network, TextFeed
from cutaway.runs.table import Table
from cutaway.submodels.baseline import donors
from cutaway.submodels.slices import Slice, kinds_of, slices

WINDOWS = 32  # of the reference texts


def catalogue(net: Network, by: Sequence[str] = ("heads", "mlps"), inputs: Any = None) -> Table:
    """Every sub-model of these kinds: address, kind, block, size, and how strong it is on `inputs`.

    `strength` is the root mean square of its coordinates over the inputs (default: the reference, else random tokens).
    0 means that it was silent on these inputs, not that it does nothing on others. Raises ValueError where the network has
    none of these kinds, naming those that it has.
    """
    batch = _reference(net) if inputs is None else net.batch(inputs)
    found = slices(net, by, batch)
    if not found:
        why = f"{net.name} has no {' or '.join(by)}" if by else "no kind was asked for"
        raise ValueError(
            f"{why}; try {', '.join(kinds_of(net)) or 'path.MODULE:out: its only module is the answer itself'}"
        )
    values = net.run(batch, read=[one.site for one in found]).read
    rows = []
    for one in found:
        code = one.encode({one.site: values[str(one.site)]}).float()
        power = code.pow(2).flatten(0, -2).mean(0)
        for address, atoms in one.parts.items():
            rows.append(
                {
                    "submodel": address,
                    "kind": _kind(one),
                    "layer": one.site.layer,
                    "atoms": len(atoms),
                    "strength": float(power[torch.as_tensor(list(atoms))].mean().sqrt()),
                }
            )
    return Table.of(rows, columns=("submodel", "kind", "layer", "atoms", "strength"))


def _reference(net: Network) -> Batch:
    """What strengths are measured on where nothing is given: windows of the reference texts, all other reference inputs."""
    probe = net.probe()
    return donors(net, probe, WINDOWS) if isinstance(net.feed, TextFeed) and net.reference is not None else probe


def _kind(one: Slice) -> str:
    return one.by or {
        "mlp_out": "mlp",
        "attn_out": "attention",
        "mixer_out": "mixer",
        "cross_out": "cross-attention",
    }.get(one.site.point, "module")
