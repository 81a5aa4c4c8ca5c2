"""What understanding costs: a meter for a block of code, the ledger's lines, and what is estimated from them."""

from cutaway.ledger.book import Ledger
from cutaway.ledger.entry import Entry, LedgerError, Purpose, entries_of
from cutaway.ledger.file import append, read
from cutaway.ledger.meter import Cost, Meter, count_backwards, count_examples, count_flops, count_forwards, meter
from cutaway.ledger.units import UnitError

__all__ = [
    "Cost",
    "Entry",
    "Ledger",
    "LedgerError",
    "Meter",
    "Purpose",
    "UnitError",
    "append",
    "count_backwards",
    "count_examples",
    "count_flops",
    "count_forwards",
    "entries_of",
    "meter",
    "read",
]
