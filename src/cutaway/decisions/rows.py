"""Rows of a trace's nodes: what kind a part is, and in which order the rows stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutaway.network import Site
from cutaway.submodels import SubModel


def nested(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Strongest first, and what lies inside a part right after it."""
    ordered = sorted(rows, key=lambda row: -abs(row["exact"] if row["exact"] is not None else row["total"] or 0.0))
    whole = [row for row in ordered if row["within"] is None]
    return [one for row in whole for one in (row, *(r for r in ordered if r["within"] == row["part"]))]


def kind_of(part: SubModel) -> str:
    """What a part is, in a word."""
    if len(part.parts) != 1 or part.decompositions:
        return "sub-model"
    site = Site.parse(part.parts[0])
    for name in ("head", "neuron", "expert", "channel"):
        if name in dict(site.select):
            return name
    return {"mlp_out": "mlp", "attn_out": "attention", "mixer_out": "mixer", "path": "module"}.get(
        site.point, site.point
    )
