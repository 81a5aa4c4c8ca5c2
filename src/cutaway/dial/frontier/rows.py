"""The points of a frontier and what is compared, as the rows that people read; intervals (95 %) are in brackets."""

from __future__ import annotations

from typing import Any

from cutaway.dial.frontier.frontier import Compared, Point
from cutaway.dial.resampling import Estimate


def point_row(point: Point) -> dict[str, Any]:
    """A setting: what it reached, how large its circuits are."""
    setting, sizes = point.setting, point.sizes
    return {
        "GFLOP": setting.mean("executed_gflop"),
        "pressure": setting["pressure"],
        "width": setting["width"],
        "tokens": setting["tokens"],
        "lr": setting["lr"],
        "live": f"{setting.share:.1%}",
        "loss": point.loss.said(4),
        "edges": _said(point.means["edges"]),
        "nodes": _said(point.means["nodes"]),
        "edges ÷ null": _said(point.means["over_null"]),
        "runs": len(setting),
        "tasks": f"{len(sizes.tasks)} of {len(sizes.tasks) + len(sizes.lacking)}",
    }


def compared_row(each: Compared) -> dict[str, Any]:
    """A pressed setting beside a dense one."""
    pressed, dense = each.pressed.setting, each.dense.setting
    return {
        "at equal": each.at,
        **{name: pressed[name] for name in ("pressure", "width", "tokens", "lr")},
        "dense": f"width {dense['width']}, {dense['tokens']} tokens, lr {dense['lr']:g}",
        "loss higher by": f"{each.apart:+.3f}",
        "edges": _said(each.ratios["edges"]),
        "nodes": _said(each.ratios["nodes"]),
        "edges ÷ null": _said(each.ratios["over_null"]),
        "runs": f"{len(dense)} and {len(pressed)}",
        "tasks": len(each.tasks),
    }


def _said(value: Estimate | None) -> str | None:
    return None if value is None else str(value)
