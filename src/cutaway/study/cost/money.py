"""What was spent, in money: machine time, people's time, and whatever was booked in the currency."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

from cutaway.ledger import Ledger, Purpose
from cutaway.ledger.entry import PROVENANCES, Provenance
from cutaway.ledger.figure import Figure
from cutaway.ledger.units import CURRENCIES, ENERGY, PERSON, conversion
from cutaway.study.cost.books import Book
from cutaway.study.cost.prices import Prices

CORE_TIME = ("cpu_s", "children_cpu_s")


def total(ledger: Ledger, resources: Sequence[str], unit: str, name: str) -> Figure | None:
    """The sum of what was booked of these resources, as an input of this name; None where there is nothing."""
    rows = [row for row in ledger.totals().rows() if row["resource"] in resources and row["unit"] == unit]
    if not rows:
        return None
    notes = list(dict.fromkeys(note for row in rows for note in row["notes"]))
    worst: Provenance = max((row["provenance"] for row in rows), key=PROVENANCES.index)
    return Figure(sum(row["quantity"] for row in rows), unit, worst, name, note=_short(notes))


def spent(books: Sequence[Book], purposes: Sequence[Purpose], prices: Prices, name: str) -> Figure | None:
    """Everything with a price that was spent for these purposes; None where there is nothing."""
    by = priced_by(books, purposes)
    terms = [
        (total(_of(by["core time"], purposes), CORE_TIME, "s", f"core time of {name}"), prices.core_hour),
        (total(_of(by["GPU time"], purposes), ("wall_s",), "s", f"GPU time of {name}"), prices.device_hour),
        (total(_of(by["operations"], purposes), ("flops",), "FLOP", f"FLOPs of {name}"), prices.operation),
    ]
    ledger = _of(books, purposes)
    terms.append((people(ledger, f"people's time of {name}"), prices.salary))
    terms.append((_energy(ledger, f"energy of {name}"), prices.kwh))
    paid = [quantity * price for quantity, price in terms if quantity is not None]
    booked = _booked(ledger, prices.currency, f"money of {name}")
    paid += [booked] if booked is not None else []
    return reduce(add, (one.to(prices.currency) for one in paid)) if paid else None


def priced_by(books: Sequence[Book], purposes: Sequence[Purpose]) -> dict[str, list[Book]]:
    """The runs whose machines are paid by the time of GPUs, by that of cores, and by operations where no time was booked."""
    found: dict[str, list[Book]] = {"GPU time": [], "core time": [], "operations": []}
    for book in books:
        ledger = book.of(*purposes)
        if len(book.ledger.where(resource="device_peak_bytes")):
            found["GPU time"].append(book)
        elif any(len(ledger.where(resource=one)) for one in CORE_TIME):
            found["core time"].append(book)
        elif len(ledger.where(resource="flops")):
            found["operations"].append(book)
    return found


def people(ledger: Ledger, name: str) -> Figure | None:
    """Working time, in hours."""
    return _converted(ledger.where(kind="person"), tuple(PERSON), "person-hour", name)


def unpriced(books: Sequence[Book], currency: str) -> list[str]:
    """What was spent and is in no sum of money: sentences."""
    ledger = _of(books, ("train", "discover", "apply"))
    priced = {*PERSON, *ENERGY, currency}
    rows = ledger.where(lambda head: head.kind != "compute" and head.unit not in priced).totals("kind", "phase").rows()
    foreign = "try entries in {currency}: exchange rates are not looked up"
    return [
        f"{row['quantity']:g} {row['unit']} ({row['kind']}, {row['phase']}) have no price here"
        + (f"; {foreign.format(currency=currency)}" if row["unit"] in CURRENCIES else "")
        for row in rows
    ]


def _of(books: Sequence[Book], purposes: Sequence[Purpose]) -> Ledger:
    return reduce(add, (book.of(*purposes) for book in books), Ledger())


def _energy(ledger: Ledger, name: str) -> Figure | None:
    return _converted(ledger.where(kind="energy"), tuple(ENERGY), "kWh", name)


def _booked(ledger: Ledger, currency: str, name: str) -> Figure | None:
    return _converted(ledger, (currency,), currency, name)


def _converted(ledger: Ledger, units: Sequence[str], unit: str, name: str) -> Figure | None:
    """The sum over units of one scale, in one of them."""
    found = [total(ledger.where(unit=one), (one, *_resources(ledger, one)), one, name) for one in units]
    there = [one for one in found if one is not None]
    if not there:
        return None
    worst = max(there, key=lambda one: PROVENANCES.index(one.provenance))
    value = sum(one.value * conversion(one.unit, unit) for one in there)
    if not value:  # booked, but nothing
        return None
    return Figure(value, unit, worst.provenance, name)


def _resources(ledger: Ledger, unit: str) -> list[str]:
    return [head.resource for head in ledger.heads if head.unit == unit]


def _short(notes: Sequence[str]) -> str:
    """One note, and how many more there are: all are in the caveats."""
    return "" if not notes else notes[0] if len(notes) == 1 else f"{notes[0]}; {len(notes) - 1} more"
