"""The decision as it stands after each block: the stream there, read off as if it were the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutaway.decisions.decision import Posed
from cutaway.network import Edit, Network, Put, Site, Variant, sweep
from cutaway.runs.table import Table


def steps(net: Network, posed: Posed, rows: Sequence[dict[str, Any]]) -> Table:
    """One row a block: the decision after it, the change, and the parts of the block (of `rows`) that were used.

    Empty where the residual stream is no sum, or the metric reads more than the last position.
    """
    layers = net.layout.layers
    last = ("resid_post", layers - 1)
    if not layers or last not in net.layout.ports or not posed.metric.last or not net.layout.additive:
        return Table.of([], columns=("layer", "decision", "change", "used"))
    sites = [Site("resid_pre", 0), *(Site("resid_post", layer) for layer in range(layers))]
    values = net.read(posed.batch, *sites)
    variants = [Variant((Edit(Site(*last), Put(values[str(site)])),)) for site in sites]
    after = sweep(net, posed.batch, variants, posed.metric).value.mean(1).tolist()
    used = [row for row in rows if row["state"] == "used" and row["within"] is None]
    table: list[dict[str, Any]] = [{"layer": None, "decision": after[0], "change": None, "used": []}]
    for layer in range(layers):
        here = [row["part"] for row in used if row["layer"] == layer]
        table.append(
            {"layer": layer, "decision": after[layer + 1], "change": after[layer + 1] - after[layer], "used": here}
        )
    return Table.of(table)
