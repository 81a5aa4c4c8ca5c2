"""`picture`: one standalone SVG of a trace, for a README or a slide: the links, or the steps and the strongest parts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cutaway.decisions import Trace
from cutaway.runs import write_text
from cutaway.study.page.of_trace import short
from cutaway.study.page.picture_of_circuit import picture_of_circuit
from cutaway.study.page.scale import Scale, figure, side
from cutaway.study.page.words import prompts, question, visible

WIDTH, TOP, LINE, FOOT = 920, 108, 30, 34
LEFT, RIGHT = (96, 410), (592, 850)  # where the two charts lie, in pixels
LONGEST = 76  # characters of the prompt's end


def picture(trace: Trace, file: str | os.PathLike[str], most: int | None = None) -> Path:
    """Writes a trace as one SVG; gives its path. No script, light and dark.

    With edges: the `most` (24) strongest of them. Else the steps on the left, the `most` (8) strongest parts on the right.

    >>> picture(trace, "quote.svg")
    PosixPath('quote.svg')
    """
    from cutaway.study.page.write import templates

    if len(trace.edges):
        return picture_of_circuit(trace, file, most or 24)
    return write_text(file, templates().get_template("picture.html").render(_shown(trace, most or 8)))


def _shown(trace: Trace, most: int) -> dict[str, Any]:
    rows = [row for row in trace.nodes if row["within"] is None and row["exact"] is not None][:most]
    lines = max(len(rows), len(trace.steps))
    texts = prompts(trace.decision)
    return {
        "width": WIDTH,
        "height": TOP + LINE * lines + FOOT,
        "top": TOP - 20,
        "foot": TOP + LINE * lines,
        "asked": question(trace.decision, trace.answers, trace.insteads),
        "prompt": _end(visible(texts[0])) if texts else "",
        "network": trace.network,
        "steps": _steps(trace),
        "effects": _effects(rows),
        "used": len(trace.used),
        "parts": sum(row["within"] is None for row in trace.nodes),
        "left": LEFT,
        "right": RIGHT,
    }


def _end(prompt: str) -> str:
    return prompt if len(prompt) <= LONGEST else "…" + prompt[1 - LONGEST :]


def _px(scale: Scale, number: float | None, place: tuple[int, int]) -> float:
    return round(place[0] + scale.at(number) / 100 * (place[1] - place[0]), 1)


def _steps(trace: Trace) -> dict[str, Any]:
    rows = trace.steps.rows()
    scale = Scale.over(row["decision"] for row in rows)
    points = [(_px(scale, row["decision"], LEFT), TOP + LINE * i) for i, row in enumerate(rows)]
    lines = [
        {
            "name": "embedding" if row["layer"] is None else f"block {row['layer']}",
            "x": points[i][0],
            "y": points[i][1],
            "before": points[i - 1][0] if i else None,
            "side": side(None if row["change"] is None else -row["change"]),
            "text": figure(row["decision"], True),
        }
        for i, row in enumerate(rows)
    ]
    return {"rows": lines, "zero": _px(scale, 0.0, LEFT)}


def _effects(rows: list[dict[str, Any]]) -> dict[str, Any]:
    scale = Scale.over(number for row in rows for number in (row["exact"], row["low"], row["high"]))
    lines = [
        {
            "name": short(row) if row["layer"] is None else f"{row['layer']} · {short(row)}",
            "y": TOP + LINE * i,
            "x": _px(scale, row["exact"], RIGHT),
            "ends": None if row["low"] is None else [_px(scale, row["low"], RIGHT), _px(scale, row["high"], RIGHT)],
            "side": side(row["exact"]),
            "mark": row["selective"] is True,
            "text": figure(row["exact"], True),
        }
        for i, row in enumerate(rows)
    ]
    return {"rows": lines, "zero": _px(scale, 0.0, RIGHT)}
