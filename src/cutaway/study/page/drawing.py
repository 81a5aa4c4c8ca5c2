"""The edges of a circuit as a drawing: nodes in rows by block, lines as wide as what cutting them changes. Nothing here is HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cutaway.decisions.circuit.circuit import edge_name
from cutaway.decisions.circuit.walk import numbers_in
from cutaway.decisions.show_circuit import ONLY_WAYS
from cutaway.study.page.layered import NODE, Layout, Link, layered
from cutaway.study.page.scale import figure, side

Row = dict[str, Any]
MOST_DRAWN = 40
HIGH, STEP, GAP = 22, 62, 26  # pixels: a node, from one row to the next, what skipped blocks take
LEFT, TOP, MARGIN = 78, 14, 10
THIN, THICK = 1.2, 7.5  # of a line
LETTER, APART = 6.6, 8.0  # pixels of a letter of a label, and between two nodes
LONGEST = 20  # characters of a label
SLOTS = {"q": -17.0, "k": 0.0, "v": 17.0}  # where a head's queries, keys and values come in
KINDS = {"z": "head", "attn_out": "attention", "mixer_out": "mixer", "mlp_out": "mlp"}
INSIDE = re.compile(r"\[(\w+)=(\d+)(?::(\d+))?\]$")  # the one member of a part, or a range of them


def drawing(rows: Sequence[Row], known: set[str], most: int = MOST_DRAWN) -> Row | None:
    """Nodes, lines and blocks with their places in pixels, the first block at the foot; None where there is nothing to draw.

    `known` are the parts that something can be told of elsewhere.
    """
    drawn = sorted(rows, key=lambda row: -_size(row))[:most]
    if not drawn:
        return None
    parts = sorted(
        {row[end] for row in drawn for end in ("from", "to")}, key=lambda part: (_when(part), numbers_in(part))
    )
    times = sorted({_when(part) for part in parts})
    places = layered(
        {part: times.index(_when(part)) for part in parts},
        [Link(row["from"], row["to"], SLOTS.get(row["through"], 0.0)) for row in drawn],
        {part: _wide(part) for part in parts},
    )
    heights, skipped, height = _heights(times)
    largest = max(map(_size, drawn))
    lines = [
        {
            "d": _curve(way, heights),
            "wide": round(THIN + (THICK - THIN) * (_size(row) / largest if largest else 0.0), 1),
            "side": side(row["knockout"]),
            "state": (row.get("state") or "").replace(" ", "-"),
            "said": _said(row),
        }
        for row, way in zip(drawn, places.ways)
    ]
    width = LEFT + places.width + MARGIN
    return {
        "width": round(width),
        "height": height,
        "node": HIGH,
        "lines": lines[::-1],  # the strongest on top
        "nodes": [_node(part, places, heights[times.index(_when(part))], part in known) for part in parts],
        "ways": _ways_in(drawn, places, heights, times),
        "blocks": _blocks(times, heights),
        "skipped": skipped,
        "left_out": len(rows) - len(drawn),
        "dashed": any(row.get("state") == "used together" for row in drawn),
        "faint": any(row.get("state") == "undecided" for row in drawn),
        "largest": figure(largest),
    }


def _size(row: Row) -> float:
    number = row["knockout"]
    return 0.0 if number is None or number != number else abs(number)


def _when(part: str) -> tuple[float, int]:
    """The block of a part, then 0 for what mixes positions and 1 for the MLP behind it."""
    found = re.search(r"(\w+)\.(\d+)(?![\w.])", part)
    if found:
        return float(found[2]), int(found[1].startswith("mlp"))
    return (float("inf"), 0) if part == "output" else (-1.0, 0)


def _label(part: str) -> str:
    """A node's text, its block being known: `head 3`, `neurons 0–63`, `mlp`."""
    point, _, rest = part.partition(".")
    inside = INSIDE.search(part)
    if inside is not None:
        kind, first, end = inside.groups()
        return f"{kind} {first}" if end is None else f"{kind}s {first}–{int(end) - 1}"
    if point in KINDS:
        return KINDS[point] if "[" not in rest else _clipped(rest.partition("[")[2].rstrip("]"))
    return _clipped(part)


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _wide(part: str) -> float:
    """What a node takes of its row."""
    return max(NODE, LETTER * len(_label(part)) + 2 * APART)


def _heights(times: Sequence[tuple[float, int]]) -> tuple[list[float], list[Row], int]:
    """The middle of every row, from the foot up; blocks between two rows of which nothing is drawn; the whole height."""
    up, marks, at = [], [], 0.0
    for i, (block, _) in enumerate(times):
        first, last = (times[i - 1][0] + 1 if i else block), block - 1
        if i and block != float("inf") and last >= first:
            marks.append({"at": at + (STEP + GAP) / 2 - 4, "text": _blocks_in_words(int(first), int(last))})
            at += GAP
        at += STEP if i else 0
        up.append(at)
    foot = TOP + at + HIGH / 2
    return (
        [round(foot - place, 1) for place in up],
        [{"y": round(foot - mark["at"], 1), "text": mark["text"]} for mark in marks],
        round(foot + HIGH / 2 + TOP),
    )


def _blocks_in_words(first: int, last: int) -> str:
    return f"(block {first})" if first == last else f"({first}–{last})"


def _blocks(times: Sequence[tuple[float, int]], heights: Sequence[float]) -> list[Row]:
    """A band behind the rows of each block, with its name."""
    found: dict[float, list[float]] = {}
    for (block, _), y in zip(times, heights):
        if 0 <= block < float("inf"):
            found.setdefault(block, []).append(y)
    pad = HIGH / 2 + 9
    return [
        {"name": f"block {int(block)}", "y": min(ys) - pad, "high": max(ys) - min(ys) + 2 * pad}
        for block, ys in found.items()
    ]


def _node(part: str, places: Layout, y: float, known: bool) -> Row:
    x, wide = round(LEFT + places.x[part], 1), round(_wide(part) - APART)
    return {"part": part, "label": _label(part), "x": x, "y": y, "wide": wide, "known": known}


def _ways_in(drawn: Sequence[Row], places: Layout, heights: Sequence[float], times: Sequence[Any]) -> list[Row]:
    """The name of each way in, once, where its lines end."""
    ends = dict.fromkeys((row["to"], row["through"]) for row in drawn if row["through"] not in (*ONLY_WAYS, None))
    return [
        {
            "text": way,
            "x": round(LEFT + places.x[part] + SLOTS.get(way, 0.0), 1),
            "y": heights[times.index(_when(part))] + HIGH / 2 + 10,
        }
        for part, way in ends
    ]


def _curve(way: Sequence[tuple[float, int]], heights: Sequence[float]) -> str:
    """From the top of the first node, straight past every row between, to the foot of the last."""
    (x, row), *others = way
    y = heights[row] - HIGH / 2
    said = [f"M{LEFT + x:.1f} {y:.1f}"]
    for x_next, row_next in others:
        foot = heights[row_next] + HIGH / 2
        middle = (y + foot) / 2
        said.append(f"C{LEFT + x:.1f} {middle:.1f} {LEFT + x_next:.1f} {middle:.1f} {LEFT + x_next:.1f} {foot:.1f}")
        x, y = x_next, heights[row_next] - HIGH / 2
        if row_next != way[-1][1]:
            said.append(f"V{y:.1f}")
    return " ".join(said)


def _said(row: Row) -> str:
    """A line in words, for the pointer and for readers of the screen."""
    low, high = row.get("low"), row.get("high")
    ends = "" if low is None or high is None else f" [{figure(low)}, {figure(high)}]"
    state = f", {row['state']}" if row.get("state") else ""
    return f"{edge_name(row)}: {figure(row['knockout'], True)}{ends}{state}"
