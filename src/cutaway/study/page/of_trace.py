"""A trace as what its page shows: figures as text, places in percent. Nothing here is HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cutaway.decisions import Estimate, Trace
from cutaway.study.page import of_circuit
from cutaway.study.page.scale import Scale, bar, figure, heat, percent, probability, side
from cutaway.study.page.words import (
    again_in_python,
    again_on_the_command_line,
    clipped,
    inputs_in_words,
    prompts,
    question,
    visible,
)

Row = dict[str, Any]
MOST_ROWS = 400  # of the effects table
MOST_CHIPS = 12  # parts named in one step before the rest is folded away
MOST_PARTS, MOST_TOKENS = 40, 64  # of the heat grid
NUMBERED = 14  # tokens up to which the cells of the grid carry their numbers


def shown(trace: Trace) -> dict[str, Any]:
    """Everything that `trace.html` needs."""
    rows = nested(trace.nodes.rows())
    return {
        "title": f"{trace.network}: a decision taken apart",
        "head": _head(trace),
        "steps": _steps(trace),
        "tokens": _tokens(trace),
        "effects": _effects(rows),
        "edges": of_circuit.shown(trace),
        "checks": _checks(trace),
        "notes": list(trace.notes),
        "next": _next(trace),
        "completeness": None if trace.completeness is None else percent(trace.completeness),
        "data": _data(trace),
    }


def nested(rows: Sequence[Row]) -> list[Row]:
    """The rows with each part's inner parts right beneath it."""
    within: dict[str, list[Row]] = {}
    for row in rows:
        if row["within"] is not None:
            within.setdefault(row["within"], []).append(row)
    ordered = [one for row in rows if row["within"] is None for one in (row, *within.pop(row["part"], []))]
    return ordered + [row for rest in within.values() for row in rest]


def interval(estimate: Estimate) -> str:
    """`[low, high]`, or nothing where there is none."""
    return f"[{figure(estimate.low)}, {figure(estimate.high)}]" if estimate.known else ""


def _head(trace: Trace) -> Row:
    texts = prompts(trace.decision)
    whole = [row for row in trace.nodes if row["within"] is None]
    without = trace.metric.mean + trace.total.mean
    scale = Scale.over([trace.metric.mean, without, *_span(trace.total, trace.metric.mean)])
    return {
        "network": trace.network,
        "question": question(trace.decision, trace.answers, trace.insteads),
        "prompt": clipped(texts[0]) if texts else None,
        "others": len(texts) - 1 if texts else 0,
        "inputs": None if texts else inputs_in_words(trace.decision.inputs),
        "counterfactual": clipped(trace.decision.counterfactual)
        if isinstance(trace.decision.counterfactual, str)
        else None,
        "decision": figure(trace.metric.mean, True),
        "without": figure(without, True),
        "total": figure(trace.total.mean, True),
        "interval": interval(trace.total),
        "n": f"{trace.total.n} {trace.total.over}" if trace.total.known else "one rerun, no interval",
        "floor": figure(trace.floor),
        "stand_in": trace.baseline,
        "seed": trace.seed,
        "cost": str(trace.cost),
        "used": sum(row["state"] == "used" for row in whole),
        "inert": sum(row["state"] == "inert" for row in whole),
        "undecided": sum(row["state"] == "undecided" for row in whole),
        "selective": len(trace.selective),
        "tested": any(row["p"] is not None for row in whole),
        "parts": len(whole),
        "line": {
            "zero": scale.zero,
            "decision": scale.at(trace.metric.mean),
            "without": scale.at(without),
            "ends": [scale.at(end) for end in _span(trace.total, trace.metric.mean)] if trace.total.known else None,
        },
    }


def _span(total: Estimate, decision: float) -> tuple[float, float]:
    return decision + total.low, decision + total.high


def _steps(trace: Trace) -> Row | None:
    """The walk: one row a block, from where the decision stood to where it stands."""
    if not len(trace.steps):
        return None
    rows, named = trace.steps.rows(), {row["part"]: row for row in trace.nodes}
    scale = Scale.over(row["decision"] for row in rows)
    walk, before = [], None
    for row in rows:
        chips = [_chip(named[part]) for part in row["used"] if part in named]
        walk.append(
            {
                "name": "embedding" if row["layer"] is None else f"block {row['layer']}",
                "decision": figure(row["decision"], True),
                "change": None if row["change"] is None else figure(row["change"], True),
                # A step towards the answer is what speaking for it is: the opposite sign of an effect.
                "side": side(None if row["change"] is None else -row["change"]),
                "before": None if before is None else scale.at(before),
                "x": scale.at(row["decision"]),
                "last": row is rows[-1],
                "back": before is not None and row["decision"] < before,
                "chips": chips[:MOST_CHIPS],
                "more": chips[MOST_CHIPS:],
            }
        )
        before = row["decision"]
    return {"rows": walk, "zero": scale.zero}


def _chip(row: Row) -> Row:
    known = row["low"] is not None
    return {
        "part": row["part"],
        "short": short(row),
        "exact": figure(row["exact"], True),
        "interval": f"[{figure(row['low'])}, {figure(row['high'])}]" if known else "",
        "side": side(row["exact"]),
        "selective": row["selective"] is True,
        "labels": row["labels"] or [],
    }


def short(row: Row) -> str:
    """A part's name where its block is known already: `head 3`, `mlp`, else the address."""
    if row["layer"] is None or row["kind"] == "sub-model":
        return row["part"]
    if "[" not in row["part"]:
        return row["kind"]
    return row["part"].partition("[")[2].rstrip("]").replace("=", " ").replace(",", ", ")


def _tokens(trace: Trace) -> Row | None:
    """The prompt's tokens, and the grid of used parts (layers down) by tokens (across)."""
    if not trace.tokens:
        return None
    strengths = {row["part"]: row["by_position"] for row in trace.strengths}
    named = {row["part"]: row for row in trace.nodes}
    used = [part for part in trace.used if part in strengths]
    shown_parts = used or [row["part"] for row in trace.nodes if row["part"] in strengths][:8]
    shown_parts = shown_parts[:MOST_PARTS]
    sums = [sum(abs(strengths[part][at]) for part in (used or shown_parts)) for at in range(len(trace.tokens))]
    columns = _columns(sums, trace.tokens)
    largest = max((abs(strengths[part][at]) for part in shown_parts for at in columns), default=0.0)
    lines = sorted(shown_parts, key=lambda part: _layer(named[part]))
    return {
        "strip": [
            {"at": at, "text": visible(token), "real": token != "", "heat": heat(sums[at], max(sums), signed=False)}
            for at, token in enumerate(trace.tokens)
        ],
        "columns": [{"at": at, "text": visible(trace.tokens[at])} for at in columns],
        "left_out": sum(token != "" for token in trace.tokens) - len(columns),
        "padding": sum(token == "" for token in trace.tokens),
        "parts_left_out": len(used) - len(shown_parts) if used else 0,
        "lines": [_line(named[part], strengths[part], columns, largest) for part in lines],
        "used": bool(used),
        "largest": figure(largest),
        "several": max(0, len(prompts(trace.decision)) - 1),
    }


def _layer(row: Row) -> int:
    return -1 if row["layer"] is None else row["layer"]


def _columns(sums: Sequence[float], tokens: Sequence[str]) -> list[int]:
    """The positions of the grid: all that are no padding of the first prompt, or those where most is, in their order."""
    real = [at for at, token in enumerate(tokens) if token != ""]
    return sorted(sorted(real, key=lambda at: -sums[at])[:MOST_TOKENS])


def _line(row: Row, strength: Sequence[float], columns: Sequence[int], largest: float) -> Row:
    numbered = len(columns) <= NUMBERED
    cells = [
        {"heat": heat(strength[at], largest), "text": _cell(strength[at], largest) if numbered else "", "at": at}
        for at in columns
    ]
    return {**_chip(row), "layer": row["layer"], "cells": cells}


def _cell(number: float, largest: float) -> str:
    """A number small enough for a cell; nothing where it would say nothing."""
    return "" if abs(number) < largest / 50 else f"{number:+.2f}".replace("-", "−")


def _effects(rows: Sequence[Row]) -> Row:
    scale = Scale.over(number for row in rows for number in (row["exact"], row["low"], row["high"]))
    some_share = Scale(scale.low, scale.high)
    return {
        "zero": scale.zero,
        "ends": [figure(scale.low), figure(scale.high)],
        "rows": [_effect(row, some_share) for row in rows[:MOST_ROWS]],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "states": [state for state in ("used", "undecided", "inert") if any(row["state"] == state for row in rows)],
    }


def _effect(row: Row, scale: Scale) -> Row:
    return {
        **_chip(row),
        "layer": row["layer"],
        "kind": row["kind"],
        "inner": row["within"] is not None,
        "state": row["state"],
        "said": {True: "yes", False: "no", None: "–"}[row["selective"]],
        "bar": bar(scale, row["exact"], row["low"], row["high"]),
        "token": None if row["token"] is None else f"{visible(row['token'])} @{row['at']}",
        "numbers": [
            (name, row[name] if row[name] is not None and math.isfinite(row[name]) else None, text)
            for name, text in _texts(row).items()
        ],
    }


def _texts(row: Row) -> dict[str, str]:
    """The number columns after the bar, in their order."""
    return {
        "exact": figure(row["exact"], True),
        "low": figure(row["low"], True),
        "high": figure(row["high"], True),
        "share": percent(row["share"]),
        "total": figure(row["total"], True),
        "direct": figure(row["direct"], True),
        "moved": figure(row["moved"]),
        "p": probability(row["p"]),
        "q": probability(row["q"]),
    }


def _checks(trace: Trace) -> list[Row]:
    scale = Scale.over([1.0, *(end for check in trace.checks for end in (check.share.low, check.share.high))])
    return [
        {
            "name": check.what.partition(":")[0],
            "what": check.what.partition(":")[2].strip() or check.what,
            "share": percent(check.share.mean),
            "interval": f"[{percent(check.share.low)}, {percent(check.share.high)}]" if check.share.known else "",
            "control": percent(check.control.mean),
            "p": None if check.p is None else probability(check.p),
            "bar": bar(scale, check.share.mean, check.share.low, check.share.high),
            "random": scale.at(check.control.mean),
            "zero": scale.zero,
            "one": scale.at(1.0),
        }
        for check in trace.checks
    ]


def _next(trace: Trace) -> Row | None:
    parts = trace.used or [row["part"] for row in trace.nodes if row["within"] is None]
    if not parts:
        return None
    source = trace.settings.get("source")
    return {
        "part": parts[0],
        "text": bool(trace.tokens),
        "python": again_in_python(trace.network, trace.decision, parts[0], source),
        "command": again_on_the_command_line(trace.decision, parts[0], source),
    }


def _data(trace: Trace) -> Row:
    """What the script needs: the strengths of each part on the tokens, three figures each."""
    if not trace.tokens:
        return {"strengths": {}}
    rounded = {row["part"]: [_rounded(number) for number in row["by_position"]] for row in trace.strengths}
    return {"strengths": dict(list(rounded.items())[:MOST_ROWS])}


def _rounded(number: float) -> float:
    return float(f"{number:.3g}") if math.isfinite(number) else 0.0
