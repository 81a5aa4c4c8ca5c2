"""A ledger as a value: its entries by columns, so that a million of them are filtered and summed at once.

Entries that differ in nothing but their quantity share one head; a ledger holds its heads once, and for each entry the
number of its head and its quantity.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cutaway.ledger.entry import PEAKS, PROVENANCES, Entry
from cutaway.runs import Table


@dataclass(frozen=True)
class Ledger:
    """The entries of one or several files, in their order, and the lines that could not be read.

    heads: the first entry of each head; its quantity is not to be read there. of: for each entry the place of its head.
    quantities: of each entry.
    skipped: half-written lines, (line number from 1, text).

    >>> ledger = Ledger.from_entries([Entry("train", "compute", 3.0, "FLOP", "measured")] * 2)
    >>> len(ledger), ledger.totals("phase").rows()[0]["quantity"]
    (2, 6.0)
    """

    heads: tuple[Entry, ...] = ()
    of: array[int] = field(default_factory=lambda: array("q"), repr=False)
    quantities: array[float] = field(default_factory=lambda: array("d"), repr=False)
    skipped: tuple[tuple[int, str], ...] = ()

    @staticmethod
    def from_entries(entries: Iterable[Entry]) -> Ledger:
        """A ledger of these entries."""
        heads: dict[str, int] = {}
        kept: list[Entry] = []
        of, quantities = array("q"), array("d")
        for entry in entries:
            place = heads.setdefault(repr(replace(entry, quantity=0)), len(kept))
            if place == len(kept):
                kept.append(entry)
            of.append(place)
            quantities.append(entry.quantity)
        return Ledger(tuple(kept), of, quantities)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """One value an entry; slow for a million of them, which `totals` and `where` are not."""
        return tuple(replace(self.heads[head], quantity=quantity) for head, quantity in zip(self.of, self.quantities))

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self.of)

    def __add__(self, other: Ledger) -> Ledger:
        """Both, one after the other: the ledgers of two runs."""
        of = self.of + array("q", (head + len(self.heads) for head in other.of))
        return Ledger(self.heads + other.heads, of, self.quantities + other.quantities, self.skipped + other.skipped)

    @property
    def said(self) -> str:
        """What could not be read, in a sentence; empty if everything could."""
        if not self.skipped:
            return ""
        number, text = self.skipped[0]
        lines = f"{len(self.skipped)} line{'s' * (len(self.skipped) > 1)}"
        return (
            f"{lines} skipped, the first is line {number}, {text[:40]!r}: half-written, the run was killed meanwhile; "
            "what was spent there is missing"
        )

    def where(self, keep: Callable[[Entry], bool] | None = None, **fields: Any) -> Ledger:
        """The entries whose head passes `keep` and has these fields.

        >>> ledger.where(purpose="train", resource="flops")
        """
        import numpy as np

        kept = [
            all(getattr(head, name) == value for name, value in fields.items()) and (keep is None or keep(head))
            for head in self.heads
        ]
        new = np.cumsum([0, *kept])[:-1]
        of, quantities = self._columns()
        chosen = np.array(kept, bool)[of]
        heads = tuple(head for head, keeping in zip(self.heads, kept) if keeping)
        return Ledger(
            heads, _array("q", new[of[chosen]].astype(np.int64)), _array("d", quantities[chosen]), self.skipped
        )

    def totals(self, *by: str) -> Table:
        """One row for each value of the fields `by`, resource and unit: the sum (of a peak, the highest) and what of it
        is how well known. Failed and aborted phases are in it; ask `by` "state" to see them apart.
        """
        sums, most, counts = self._by_head()
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for head, total, highest, count in zip(self.heads, sums, most, counts):
            if not count:
                continue
            names = dict.fromkeys((*by, "resource", "unit"))
            about = {name: getattr(head, name) for name in names}
            row = rows.setdefault(
                tuple(about.values()), {**about, "quantity": 0.0, "entries": 0, "provenance": "measured", "notes": []}
            )
            peak = head.resource in PEAKS
            row["quantity"] = max(row["quantity"], highest) if peak else row["quantity"] + total
            row["entries"] += count
            row["provenance"] = max(row["provenance"], head.provenance, key=PROVENANCES.index)
            row["notes"] += [head.note] if head.note and head.note not in row["notes"] else []
        return Table.of(rows.values())

    def _columns(self) -> tuple[Any, Any]:
        import numpy as np

        return np.frombuffer(self.of, np.int64), np.frombuffer(self.quantities, np.float64)

    def _by_head(self) -> tuple[list[float], list[float], list[int]]:
        """The sum, the highest quantity and the number of entries of each head."""
        if not len(self):
            return [], [], []
        import numpy as np

        of, quantities = self._columns()
        most = np.zeros(len(self.heads))
        np.maximum.at(most, of, quantities)
        sums = np.bincount(of, quantities, len(self.heads))
        return sums.tolist(), most.tolist(), np.bincount(of, minlength=len(self.heads)).tolist()


def _array(code: str, values: Any) -> array[Any]:
    found = array(code)
    found.frombytes(values.tobytes())
    return found
