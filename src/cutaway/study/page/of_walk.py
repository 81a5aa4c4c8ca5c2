"""The steps of a circuit as what its page shows: who read what from where, and how much of the decision has a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutaway.decisions import Circuit
from cutaway.decisions.show_circuit import (
    ONLY_WAYS,
    by_words,
    link,
    places_in_words,
    read_by_part,
    strongest,
    written_by_part,
)
from cutaway.study.page.scale import Scale, bar, figure, percent
from cutaway.study.page.words import visible

Row = dict[str, Any]
MOST_OPEN, MOST_STEPS = 24, 200
MOST_ENDS = 3  # parts named as read or written to before the rest is a number
MOST_CANDIDATES = 16


def steps(found: Circuit, known: set[str]) -> Row | None:
    """The table of steps, the strongest in the open; None where there are none. `known`: parts told of elsewhere."""
    rows = found.steps.rows()
    if not rows:
        return None
    kept = strongest(rows, MOST_STEPS)
    opened = strongest(kept, MOST_OPEN)
    scale = Scale.over(row[name] for row in rows for name in ("effect", "low", "high"))
    weaker = [row for row in kept if not any(row is one for one in opened)]
    return {
        "zero": scale.zero,
        "ends": [figure(scale.low), figure(scale.high)],
        "rows": _with_blocks(opened, scale, known),
        "weaker": _with_blocks(weaker, scale, known),
        "left_out": len(rows) - len(kept),
        "positions": any(row["at"] is not None for row in rows),
    }


def shares(found: Circuit) -> Row | None:
    """Named, unnamed and unexplained as pieces of one bar, and the parts that are candidates for a name."""
    rows = found.carried.rows()
    if not rows:
        return None
    ends, at = [], 0.0
    for row in rows:
        ends.append((at, at + row["share"]))
        at += row["share"]
    scale = Scale.over([1.0, *(end for pair in ends for end in pair)])
    candidates = next((row["parts"] for row in rows if row["what"] == "unnamed"), [])
    return {
        "pieces": [_piece(row, *pair, scale) for row, pair in zip(rows, ends)],
        "zero": scale.zero,
        "one": scale.at(1.0),
        "candidates": candidates[:MOST_CANDIDATES],
        "more": max(0, len(candidates) - MOST_CANDIDATES),
    }


def others(found: Circuit) -> list[Row]:
    """The edges with other things in their place: all together, then those that fare differently, by how."""
    if not len(found.others):
        return []
    return [
        {"words": alike.words, "more": alike.more, "rows": [_other(row) for row in alike.rows]}
        for alike in by_words(found.others.rows())
    ]


def stability(found: Circuit) -> list[Row]:
    """How far other examples name the same edges."""
    return [
        {
            "examples": row["examples"],
            "n": row["n"],
            "jaccard": figure(row["Jaccard"]),
            "low": "" if row["low"] is None else f"19 in 20 above {figure(row['low'])}",
            "x": round(100 * row["Jaccard"], 1),
        }
        for row in found.stability
    ]


def _other(row: Row) -> Row:
    return {
        "edge": link(row),
        "jointly": row["to"] is None,
        "effects": [figure(row[name], True) for name in ("here", "mean", "zero")],
    }


def _piece(row: Row, start: float, end: float, scale: Scale) -> Row:
    left, right = sorted((scale.at(start), scale.at(end)))
    known = row["low"] is not None and row["high"] is not None
    return {
        "what": row["what"],
        "share": percent(row["share"], 1),
        "interval": f"[{percent(row['low'], 1)}, {percent(row['high'], 1)}]" if known else "",
        "edges": row["edges"],
        "x": left,
        "width": round(right - left, 2),
        "back": row["share"] < 0,  # drawn over what it takes back, half as high
    }


def _with_blocks(rows: Sequence[Row], scale: Scale, known: set[str]) -> list[Row]:
    """The lines of the table; a block is named where it begins."""
    made, before = [], None
    for row in rows:
        block = _block(row)
        made.append(_step(row, "" if block == before else block, scale, known))
        before = block
    return made


def _block(row: Row) -> str:
    return f"block {row['layer']}" if row["layer"] is not None else "output" if not row["writes"] else "input"


def _step(row: Row, block: str, scale: Scale, known: set[str]) -> Row:
    reads, writes = read_by_part(row), written_by_part(row)
    return {
        "block": block,
        "part": row["part"],
        "known": row["part"] in known,
        "labels": row["labels"] or [],
        "token": None if row["token"] is None else visible(row["token"]),
        "alike": None if row["alike"] in (None, 1.0) else percent(row["alike"]),
        "at": places_in_words([row["at"]]).replace("-", "−"),
        "reads": [
            {"part": part, "ways": _words(ways), "at": _elsewhere(places, row["at"])}
            for part, ways, places in reads[:MOST_ENDS]
        ],
        "more_reads": max(0, len(reads) - MOST_ENDS),
        "writes": [{"part": part, "ways": _words(ways), "at": ""} for part, ways in writes[:MOST_ENDS]],
        "more_writes": max(0, len(writes) - MOST_ENDS),
        "effect": figure(row["effect"], True),
        "interval": "" if row["low"] is None else f"95 %: [{figure(row['low'])}, {figure(row['high'])}]",
        "bar": bar(scale, row["effect"], row["low"], row["high"]),
    }


def _words(ways: Sequence[str]) -> str:
    """`k, q and v`; nothing for what has one way in only."""
    told = [way for way in ways if way not in ONLY_WAYS]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}" if told else ""


def _elsewhere(places: Sequence[int | None], here: int | None) -> str:
    """Where something was read, if that is not the step's own position."""
    return "" if list(places) == [here] else places_in_words(places).replace("-", "−")
