"""What understanding costs: a meter for a block of code, and the ledger's lines."""

from cutaway.ledger.entry import Entry, Ledger, LedgerError, append, entries_of, read
from cutaway.ledger.meter import Cost, Meter, count_backwards, count_examples, count_flops, count_forwards, meter

__all__ = [
    "Cost",
    "Entry",
    "Ledger",
    "LedgerError",
    "Meter",
    "append",
    "count_backwards",
    "count_examples",
    "count_flops",
    "count_forwards",
    "entries_of",
    "meter",
    "read",
]
