"""Plants in a network as what their page shows: the detection curve of each kind, and the table. Nothing here is HTML."""

from __future__ import annotations

from typing import Any

from cutaway.study.page.scale import figure, percent
from cutaway.study.page.words import printable
from cutaway.study.plants import Point, Sensitivity
from cutaway.study.plants.plants import REAL

WIDE, HIGH, LEFT, TOP, FOOT = 420, 190, 46, 16, 44  # pixels of a chart's inside, and around it


def shown(found: Sensitivity) -> dict[str, Any]:
    """Everything that `plants.html` needs."""
    return {
        "title": f"{found.network}: how much of a match can be believed",
        "network": printable(found.network),
        "notes": found.notes,
        "charts": [_chart(kind, found) for kind in dict.fromkeys(one.kind for one in found.points) if kind in REAL],
        "rows": [_row(one) for one in found.points],
        "size": {
            "wide": LEFT + WIDE + 16,
            "high": TOP + HIGH + FOOT,
            "left": LEFT,
            "right": LEFT + WIDE,
            "foot": TOP + HIGH,
        },
        "ticks": [{"y": _y(share), "text": percent(share)} for share in (0.0, 0.5, 1.0)],
        "seed": found.seed,
        "data": {},
    }


def _chart(kind: str, found: Sensitivity) -> dict[str, Any]:
    """Recall against strength; strengths stand in their order, as they are factors."""
    points = sorted((one for one in found.points if one.kind == kind and one.found.n), key=lambda one: one.strength)
    step = WIDE / max(1, len(points))
    dots = [
        {
            "x": round(LEFT + step * (i + 0.5), 1),
            "y": _y(one.found.value),
            "low": _y(one.found.low),
            "high": _y(one.found.high),
            "strength": f"{one.strength:g}",
            "turned": percent(one.shown),
            "loud": one.saturated,
            "said": f"strength {one.strength:g}, {percent(one.shown)} of the prompts turned: found {one.found}",
        }
        for i, one in enumerate(points)
    ]
    return {"kind": kind, "dots": dots, "line": " ".join(f"{dot['x']},{dot['y']}" for dot in dots)}


def _y(share: float) -> float:
    return round(TOP + HIGH * (1 - share), 1)


def _row(one: Point) -> dict[str, Any]:
    """One line of the table."""
    return {
        "kind": one.kind,
        "strength": f"{one.strength:g}",
        "turned": percent(one.shown),
        "found": str(one.found) if one.strength else "–",
        "whole": percent(one.whole.value) if one.whole.n else "–",
        "false": percent(one.false.value) if one.false.n else "–",
        "left_out": one.left_out,
        "louder": figure(one.louder),
        "divergence": figure(one.divergence),
    }
