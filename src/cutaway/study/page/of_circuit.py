"""The edges of a trace as what its page shows: the table, groups, layers and the checks. Nothing here is HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutaway.decisions import Circuit, Estimate, Joint, Trace
from cutaway.decisions.circuit.circuit import edge_name
from cutaway.study.page import of_walk
from cutaway.study.page.drawing import drawing
from cutaway.study.page.scale import Scale, bar, figure, percent

Row = dict[str, Any]
MOST_ROWS, MOST_OPEN = 400, 40
GROUPS = {
    "backup": "backup: one part only wakes when the other is gone; cut together",
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
        "drawing": drawing(rows, {row["part"] for row in trace.nodes}),
        "shares": None if found is None else of_walk.shares(found),
        "steps": None if found is None else of_walk.steps(found, {row["part"] for row in trace.nodes}),
        "others": None if found is None else of_walk.others(found),
        "stability": None if found is None else of_walk.stability(found),
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
        "state": (row.get("state") or "–") + (", selective" if row.get("selective") else ""),
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
