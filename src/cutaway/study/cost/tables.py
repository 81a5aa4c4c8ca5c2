"""Ledgers as tables of the quantities that people ask for: operations, seconds of cores, hours of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutaway.ledger import Ledger
from cutaway.ledger.entry import PROVENANCES
from cutaway.ledger.units import PERSON
from cutaway.runs import Table
from cutaway.study.cost.books import Book
from cutaway.study.cost.money import CORE_TIME

MEASURES = ("GFLOP", "core s", "person-h")
USEFUL = "useful GFLOP"
"""Of the operations, those that multiply two numbers of which neither is 0: shown where they were counted."""


def by(ledger: Ledger, *names: str) -> Table:
    """One row for each value of these fields, the most core seconds first, with its share of operations and how it is known."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for sum_ in ledger.totals(*names):
        key = tuple(sum_[name] for name in names)
        row = rows.setdefault(key, {**dict(zip(names, key)), **dict.fromkeys((*MEASURES, USEFUL)), "known": "measured"})
        measure, quantity = _measured(sum_)
        if measure:
            row[measure] = (row[measure] or 0.0) + quantity
            row["known"] = max(row["known"], sum_["provenance"], key=PROVENANCES.index)
    whole = sum(row["GFLOP"] or 0 for row in rows.values())
    for row in rows.values():
        row["share"] = f"{row['GFLOP'] / whole:.1%}" if row["GFLOP"] and whole else None
    order = sorted(rows.values(), key=lambda row: (-(row["GFLOP"] or 0), -(row["core s"] or 0)))
    useful = (USEFUL,) if any(row[USEFUL] is not None for row in order) else ()
    columns = (*names, "GFLOP", *useful, "share", "core s", "person-h", "known")
    return Table.of([{name: row[name] for name in columns} for row in order], columns)


def by_run(books: Sequence[Book]) -> Table:
    """One row a run: what it cost, how many sub-models it names, and what each of them came to."""
    return Table.of([_run(book) for book in books], ("run", "kind", *MEASURES, "named", "GFLOP each", "core s each"))


def _run(book: Book) -> dict[str, Any]:
    row: dict[str, Any] = {"run": book.path.name or str(book.path), "kind": book.kind or "-", **dict.fromkeys(MEASURES)}
    for sum_ in book.ledger.totals():
        measure, quantity = _measured(sum_)
        if measure in MEASURES:
            row[measure] = (row[measure] or 0.0) + quantity
    row["named"] = book.named
    for measure in MEASURES[:2]:
        row[f"{measure} each"] = row[measure] / book.named if book.named and row[measure] is not None else None
    return row


def _measured(sum_: dict[str, Any]) -> tuple[str, float]:
    """Which measure a total belongs to, and how much of it; the empty text if to none."""
    if sum_["resource"] == "flops":
        return "GFLOP", sum_["quantity"] / 1e9
    if sum_["resource"] == "useful_flops":
        return USEFUL, sum_["quantity"] / 1e9
    if sum_["resource"] in CORE_TIME:
        return "core s", sum_["quantity"]
    if sum_["unit"] in PERSON:
        return "person-h", sum_["quantity"] * PERSON[sum_["unit"]]
    return "", 0.0
