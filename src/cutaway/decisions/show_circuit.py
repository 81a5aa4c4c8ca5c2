"""The circuit of a trace as titled pieces of text and tables: for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cutaway.decisions.circuit.circuit import edge_name
from cutaway.runs.table import Table

if TYPE_CHECKING:
    from cutaway.decisions.circuit.circuit import Circuit

WIDTH, LONGEST = 46, 26  # characters of a list in a cell, and of a part's name
HEAD_WAYS = "qkv"  # ways into a head, in the order in which they are said
ONLY_WAYS = ("mlp", "out")  # of which a part has one only, so that it needs no word

Row = dict[str, Any]
Piece = tuple[str, list[str | Table]]
"""A title, and what stands under it."""


def pieces(found: Circuit, most: int = 14) -> list[Piece]:
    """The links, the steps, what they carry and leave, other stand-ins and batches, and the checks."""
    links = f"{len(found.edges)} links, strongest first (knockout: change of the decision without it)"
    others: list[str | Table] = [found.stability]
    return [
        (links, _links(found, most)),
        *_steps(found.steps.rows(), most),
        *_shares(found.carried.rows()),
        *_others(found.others.rows()),
        *([("would other examples name the same links?", others)] if len(found.stability) else []),
        ("do the links explain the decision?", _checks(found)),
    ]


def _links(found: Circuit, most: int) -> list[str | Table]:
    dropped = () if found.false_discoveries is not None else ("q", "selective")
    rows = [{k: v for k, v in row.items() if k not in dropped} for row in found.edges]
    rows = [{**row, "share": _percent(row["share"])} for row in rows]
    lines: list[str | Table] = [Table.of(rows[:most])] if rows else []
    if len(rows) > most:
        lines.append(f"… {len(rows) - most} more in .edges")
    if found.false_discoveries is not None:
        lines.append(
            f"{sum(map(bool, found.edges['selective']))} of the {sum(q is not None for q in found.edges['q'])} strongest are "
            f"selective: they beat their decoys (estimated share of false ones {found.false_discoveries:.1%})"
        )
    return lines + [f"{group['kind']} group {group['group']}: {', '.join(group['parts'])}" for group in found.groups]


def _checks(found: Circuit) -> list[str | Table]:
    lines = [f"{check} {'' if check.holds else '← fails'}".rstrip() for check in found.checks]
    passed = [f"{row['passed']} of {row['tried']} {row['wrong set']}" for row in found.power]
    lines += [f"wrong sets that pass as sufficient: {', '.join(passed)}"] if passed else []
    lines.append(f"shares miss the total by {found.missing:.0%}; {found.runs[0]} single and {found.runs[1]} joint cuts")
    weak = next((row for row in found.power if row["wrong set"] == "less one edge" and row["passed"]), None)
    smaller = (
        f", but so do {weak['passed']} of {weak['tried']} sets with one link less" if weak and found.explained else ""
    )
    return [*lines, f"links: {found.verdict}{smaller}"]


# steps ----------------------------------------------------------------------------------------------------------------


def _steps(rows: Sequence[Row], most: int) -> list[Piece]:
    if not rows:
        return []
    kept = strongest(rows, most)
    left = len(rows) - len(kept)
    table = Table.of(
        [
            {
                "at": "…" if row["at"] is None else str(row["at"]),
                "token": _token(row),
                "part": ", ".join([_short(row["part"]), *(f"“{label}”" for label in row["labels"] or [])]),
                "effect": row["effect"],
                "read": _few([_read(row, *one) for one in read_by_part(row)]),
                "wrote to": _few([_short(part) + _ways(ways) for part, ways in written_by_part(row)]),
            }
            for row in kept
        ]
    )
    more = [f"… {left} weaker steps in .circuit.steps"] if left else []
    return [
        ("the steps in order (effect: change of the decision if no named part sees what was written)", [table, *more])
    ]


def strongest(rows: Sequence[Row], most: int) -> list[Row]:
    """The steps with the largest effects and the output, in the order of the network."""
    size = {i: abs(row["effect"] or 0.0) if row["part"] != "output" else float("inf") for i, row in enumerate(rows)}
    kept = set(sorted(size, key=lambda i: -size[i])[:most])
    return [row for i, row in enumerate(rows) if i in kept]


def read_by_part(row: Row) -> list[tuple[str, list[str], list[int | None]]]:
    """What a step read: each part once, strongest first, with its ways in and the positions read."""
    found: dict[str, tuple[list[str], list[int | None]]] = {}
    for part, way, places in zip(row["reads"], row["through"], row["read at"]):
        ways, known = found.setdefault(part, ([], []))
        ways += [way] if way not in ways else []
        known += [place for place in places if place not in known]
    return [
        (part, sorted(ways, key=HEAD_WAYS.find), sorted(places, key=_order)) for part, (ways, places) in found.items()
    ]


def written_by_part(row: Row) -> list[tuple[str, list[str]]]:
    """Who read what a step wrote: each part once, strongest first, with the ways in."""
    found: dict[str, list[str]] = {}
    for part, way in zip(row["writes"], row["into"]):
        ways = found.setdefault(part, [])
        ways += [way] if way not in ways else []
    return [(part, sorted(ways, key=HEAD_WAYS.find)) for part, ways in found.items()]


def places_in_words(places: Sequence[int | None]) -> str:
    """`2…5, 9`: positions in their order, neighbours as one range; "elsewhere" for those too weak to be listed.

    >>> places_in_words([2, 3, 4, 9, None])
    '2…4, 9, elsewhere'
    """
    runs: list[list[int]] = []
    for place in places:
        if place is not None and runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        elif place is not None:
            runs.append([place])
    told = [str(run[0]) if len(run) == 1 else f"{run[0]}…{run[-1]}" for run in runs]
    return ", ".join([*told, *(["elsewhere"] if None in places else [])])


def _order(place: int | None) -> tuple[int, int]:
    return (2, 0) if place is None else (int(place < 0), place)


def _read(row: Row, part: str, ways: Sequence[str], places: Sequence[int | None]) -> str:
    """`embed@4 (v q)`: where it is another position than the step's own, with that."""
    where = "" if list(places) == [row["at"]] else "@" + places_in_words(places).replace(", ", ",")
    return _short(part) + where + _ways(ways)


def _ways(ways: Sequence[str]) -> str:
    """The ways into a head; what an MLP or the output reads needs no word."""
    told = [way for way in ways if way not in ONLY_WAYS]
    return f" ({' '.join(told)})" if told else ""


def _few(words: Sequence[str], width: int = WIDTH) -> str:
    """As many as fit, and how many more there are."""
    fit = 0
    while fit < len(words) and len(", ".join(words[: fit + 1])) <= width:
        fit += 1
    fit = max(1, fit)
    more = [f"+{len(words) - fit}"] if len(words) > fit else []
    return ", ".join([*words[:fit], *more])


def _short(part: str) -> str:
    """A name that leaves room for others; its end says most."""
    return part if len(part) <= LONGEST else "…" + part[1 - LONGEST :]


def _token(row: Row) -> str | None:
    """A token, and where it is not that of every prompt, of what share of them."""
    if row["token"] is None:
        return None
    return repr(row["token"][:12]) + ("" if row["alike"] == 1 else f" {_percent(row['alike'])}")


# what they carry ------------------------------------------------------------------------------------------------------


def _shares(rows: Sequence[Row]) -> list[Piece]:
    if not rows:
        return []
    lines: list[str | Table] = [f"{row['what']}: {_percent(row['share'])}{_interval(row)}" for row in rows]
    unnamed = next((row["parts"] for row in rows if row["what"] == "unnamed"), [])
    if unnamed:
        lines.append(f"used without a name: {_few(unnamed, 2 * WIDTH)}")
    return [("how much of the decision goes through parts with a name", lines)]


def _interval(row: Row) -> str:
    return "" if row["low"] is None or row["high"] is None else f" [{_percent(row['low'])}, {_percent(row['high'])}]"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share + 0.0:.0%}".replace("-0%", "0%")


# other stand-ins ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alike:
    """Edges of which the same `words` hold: the strongest `rows`, and how many `more` there are."""

    words: str
    rows: tuple[Row, ...]
    more: int


def by_words(rows: Sequence[Row], each: int = 4) -> list[Alike]:
    """The edges under other stand-ins: first what cutting them jointly does, then those that fare differently, by how.

    Edges that fare alike under all stand-ins come last, without rows.
    """
    joint = tuple(row for row in rows if row["to"] is None)
    among: dict[str, list[Row]] = {}
    for row in sorted(rows, key=_largest, reverse=True):
        if row["to"] is not None:
            among.setdefault(row["words"], []).append(row)
    same = among.pop("", [])
    told = [Alike(words, tuple(some[:each]), max(0, len(some) - each)) for words, some in among.items()]
    return [Alike("", joint, 0), *told, Alike("", (), len(same))]


def _largest(row: Row) -> float:
    """The largest effect under any stand-in."""
    return max((abs(row[name]) for name in ("here", "mean", "zero") if row[name] is not None), default=0.0)


def link(row: Row) -> str:
    """`mlp_out.0 → z.2[head=1]/k`; or what was cut jointly."""
    return row["from"] if row["to"] is None else edge_name(row)


def _others(rows: Sequence[Row]) -> list[Piece]:
    if not rows:
        return []
    joint, *told, same = by_words(rows)
    table = Table.of({"cut": link(row), **{name: row[name] for name in ("here", "mean", "zero")}} for row in joint.rows)
    lines: list[str | Table] = [
        f"{_links_of(len(alike.rows) + alike.more)} {alike.words}; strongest {', '.join(map(link, alike.rows[:2]))}"
        for alike in told
    ]
    lines += [f"{_links_of(same.more)} alike under all of them"] if same.more else []
    return [("the same links with other stand-ins (change of the decision without them)", [table, *lines])]


def _links_of(count: int) -> str:
    return f"{count} link{'' if count == 1 else 's'}"
