"""The edges of a trace as what its page shows: a drawing, the table, groups, layers and the checks. Nothing here is HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cutaway.decisions import Circuit, Estimate, Joint, Trace
from cutaway.decisions.circuit.circuit import edge_name
from cutaway.study.page.layered import Layout, Link, layered
from cutaway.study.page.scale import Scale, bar, figure, percent, side

Row = dict[str, Any]
MOST_ROWS, MOST_OPEN, MOST_DRAWN = 400, 40, 40
HIGH, STEP, GAP = 22, 62, 26  # pixels: a node, from one row to the next, what skipped blocks take
LEFT, TOP, MARGIN = 78, 14, 10
THIN, THICK = 1.2, 7.5  # of a line
SLOTS = {"q": -17.0, "k": 0.0, "v": 17.0}  # where a head's queries, keys and values come in
KINDS = {"z": "head", "attn_out": "attention", "mixer_out": "mixer", "mlp_out": "mlp"}
GROUPS = {
    "redundant": "redundant: cut one by one they change little, cut together",
    "cancelling": "cancelling: cut one by one each moves the decision, cut together",
}


def shown(trace: Trace) -> Row | None:
    """Everything that `circuit.html` needs; None where links were not traced."""
    found, rows = trace.circuit, trace.edges.rows()
    if found is None and not rows:
        return None
    total = trace.total.mean if found is None else found.total.mean
    return {
        "verdict": None if found is None else verdict(found),
        "drawing": _drawing(rows, {row["part"] for row in trace.nodes}),
        "table": _table(rows, total, {} if found is None else _members(found)),
        "groups": [] if found is None else _groups(found),
        "layers": [] if found is None else _layers(found),
        "checks": [] if found is None else _checks(found),
        "power": [] if found is None else _power(found),
        "total": figure(total, True),
        "facts": None if found is None or not any(found.runs) else _facts(found),
    }


def verdict(found: Circuit) -> Row:
    """The verdict as a sentence, whether it is good news, which other checks fail, and whether smaller sets pass too."""
    word, _, why = found.verdict.partition(":")
    count = f"this {len(found.edges)} edge is" if len(found.edges) == 1 else f"these {len(found.edges)} edges are"
    rest = next((check for check in found.checks if check.what == "sufficient: everything else cut"), None)
    if found.explained and rest is not None:
        why = f"{count} enough; with everything else cut at once the decision moves by {_tenth(rest.moved.mean)} of the total"
    elif word == "nothing to explain":
        why = "cutting every edge changes nothing"
    fails = [check.what for check in found.checks if not check.holds and not check.what.startswith("sufficient")]
    less = next((row for row in found.power if row["wrong set"] == "less one edge" and row["passed"]), None)
    return {
        "word": word[:1].upper() + word[1:],
        "why": why.strip(),
        "good": found.explained,
        "fails": fails if found.explained else [],
        "also": f"{less['passed']} of {less['tried']} sets with one edge less pass as well, so this is one set of several "
        "that would do."
        if less and found.explained
        else None,
    }


def _tenth(share: float | None) -> str:
    """A share to a tenth of a percent: the limits of the checks are of this size."""
    return percent(share, 1)


def _interval(estimate: Estimate, said: Any) -> str:
    return f"[{said(estimate.low)}, {said(estimate.high)}]" if estimate.known else ""


# the drawing ----------------------------------------------------------------------------------------------------------


def _drawing(rows: Sequence[Row], known: set[str]) -> Row | None:
    """Nodes, lines and blocks with their places in pixels, the first block at the foot."""
    drawn = sorted(rows, key=lambda row: -_size(row))[:MOST_DRAWN]
    if not drawn:
        return None
    parts = sorted({row[end] for row in drawn for end in ("from", "to")}, key=lambda part: (_when(part), _number(part)))
    times = sorted({_when(part) for part in parts})
    places = layered(
        {part: times.index(_when(part)) for part in parts},
        [Link(row["from"], row["to"], SLOTS.get(row["through"], 0.0)) for row in drawn],
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
    found = re.match(r"\w+?\.(\d+)", part)
    if found:
        return float(found[1]), int(part.startswith("mlp"))
    return (float("inf"), 0) if part == "output" else (-1.0, 0)


def _number(part: str) -> list[int]:
    """The numbers in a part's name, so that head 10 stands after head 9."""
    return [int(digits) for digits in re.findall(r"\d{1,9}", part)]


def _label(part: str) -> str:
    """A node's text, its block being known: `head 3`, `mlp`."""
    point, _, rest = part.partition(".")
    head = re.search(r"\[head=(\d+)(?::(\d+))?\]$", part)
    if point not in KINDS:
        return part if len(part) <= 10 else f"{part[:9]}…"
    if head is None:
        return KINDS[point] if "[" not in rest else rest.partition("[")[2].rstrip("]")[:10]
    return f"head {head[1]}" if head[2] is None else f"heads {head[1]}–{int(head[2]) - 1}"


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
    return {"part": part, "label": _label(part), "x": round(LEFT + places.x[part], 1), "y": y, "known": known}


def _ways_in(drawn: Sequence[Row], places: Layout, heights: Sequence[float], times: Sequence[Any]) -> list[Row]:
    """The name of each way in, once, where its lines end."""
    ends = dict.fromkeys((row["to"], row["through"]) for row in drawn if row["through"] not in ("out", None))
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


# the table ------------------------------------------------------------------------------------------------------------


def _members(found: Circuit) -> dict[str, str]:
    """The groups of every edge that is in any, by its name."""
    among: dict[str, list[str]] = {}
    for group in found.groups:
        for edge in group["edges"]:
            among.setdefault(edge, []).append(str(group["group"]))
    return {edge: ", ".join(numbers) for edge, numbers in among.items()}


def _table(rows: Sequence[Row], total: float, groups: dict[str, str]) -> Row:
    scale = Scale.over(row.get(name) for row in rows for name in ("knockout", "low", "high"))
    return {
        "zero": scale.zero,
        "ends": [figure(scale.low), figure(scale.high)],
        "rows": [_line(row, scale, total, groups) for row in rows[:MOST_OPEN]],
        "weaker": [_line(row, scale, total, groups) for row in rows[MOST_OPEN:MOST_ROWS]],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "groups": bool(groups),
    }


def _line(row: Row, scale: Scale, total: float, groups: dict[str, str]) -> Row:
    low, high, added = row.get("low"), row.get("high"), row.get("telescoping")
    return {
        "from": row["from"],
        "to": row["to"],
        "through": row["through"],
        "bar": bar(scale, row["knockout"], low, high),
        "knockout": figure(row["knockout"], True),
        "interval": "–" if low is None or high is None else f"[{figure(low)}, {figure(high)}]",
        "n": "–" if row.get("n") is None else row["n"],
        "share": _tenth(row.get("share")),
        "telescoping": _tenth(added / total if added is not None and total else None),
        "state": row.get("state") or "–",
        "group": groups.get(edge_name(row), ""),
    }


# what holds of them together ------------------------------------------------------------------------------------------


def _groups(found: Circuit) -> list[Row]:
    effects: Sequence[Estimate | None] = found.group_effects or [None] * len(found.groups)
    return [
        {
            "number": group["group"],
            "edges": list(group["edges"]),
            "said": f"{GROUPS.get(group['kind'], group['kind'] + ': cut together')} they move it by "
            f"{_tenth(group['together'])} of the total",
            "effect": None
            if effect is None
            else f"{figure(effect.mean, True)} {_interval(effect, figure)} on the other half".replace("  ", " "),
        }
        for group, effect in zip(found.groups, effects)
    ]


def _layers(found: Circuit) -> list[Row]:
    rows = found.layers.rows()
    scale = Scale.over([1.0, *(row["named"] for row in rows)])
    return [
        {
            "before": "the output" if row["before"] == "output" else f"block {row['before']}",
            "edges": row["edges"],
            "named": _tenth(row["named"]),
            "unexplained": _tenth(row["unexplained"]),
            "bar": bar(scale, row["named"]),
            "zero": scale.zero,
            "one": scale.at(1.0),
        }
        for row in rows
    ]


def _checks(found: Circuit) -> list[Row]:
    scale = Scale.over(end for check in found.checks for end in (1.0, check.limit, check.moved.mean, check.moved.high))
    return [_check(check, scale) for check in found.checks]


def _check(check: Joint, scale: Scale) -> Row:
    known, name = check.moved.known, check.what.partition(":")[0]
    return {
        "name": name,
        "what": check.what.partition(":")[2].strip() or check.what,
        "moved": _tenth(check.moved.mean),
        "interval": _interval(check.moved, _tenth),
        "limit": _tenth(check.limit),
        "bound": "at least" if name in ("necessary", "minimal") else "at most",
        "holds": check.holds,
        "bar": bar(scale, check.moved.mean, check.moved.low if known else None, check.moved.high if known else None),
        "at": scale.at(check.limit),
        "zero": scale.zero,
        "one": scale.at(1.0),
    }


def _power(found: Circuit) -> list[Row]:
    return [
        {"kind": row["wrong set"], "passed": row["passed"], "tried": row["tried"]}
        for row in found.power
        if row["tried"]
    ]


def _facts(found: Circuit) -> Row:
    return {
        "missing": percent(found.missing),
        "floor": figure(found.floor),
        "forward": found.passes[0],
        "backward": found.passes[1],
        "single": found.runs[0],
        "joint": found.runs[1],
    }
