"""A line of the ledger, `ledger.jsonl`: what one phase consumed of one kind of quantity. Lines are only appended."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cutaway.ledger.meter import Cost


class LedgerError(Exception):
    """A line of a ledger is whole but is not an entry."""


@dataclass(frozen=True)
class Entry:
    """What a phase ("trace", "train") consumed.

    kind: what was consumed ("flops", "wall_s", "forwards", …). quantity and unit: how much. provenance: how it is known
    ("measured", "estimated", "declared by the user"). seed and versions: of the run it belongs to.

    Raises ValueError for a quantity that is not a finite number.
    """

    phase: str
    kind: str
    quantity: float
    unit: str
    provenance: str
    seed: int | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.quantity):
            raise ValueError(
                f"the entry {self.phase}/{self.kind} was given {self.quantity}; expected a finite quantity"
            )


@dataclass(frozen=True)
class Ledger:
    """The entries of a file, and the lines that could not be read: (line number from 1, text)."""

    entries: tuple[Entry, ...]
    skipped: tuple[tuple[int, str], ...]


def append(path: str | os.PathLike[str], entry: Entry) -> None:
    """Add one line. If the file ends in a half-written line, the new one starts on a line of its own."""
    line = json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True) + "\n"
    with Path(path).open("a+b") as file:
        torn = file.seek(0, os.SEEK_END) > 0 and not _ends_a_line(file.fileno())
        file.write((b"\n" if torn else b"") + line.encode())


def read(path: str | os.PathLike[str]) -> Ledger:
    """The entries of a ledger; half-written lines (a run was killed while writing) are skipped and reported.

    Raises LedgerError for a whole line that is not an entry, FileNotFoundError if there is no such file.
    """
    entries, skipped = [], []
    for number, line in enumerate(Path(path).read_bytes().splitlines(), 1):
        try:
            value = json.loads(line)
        except ValueError:
            skipped.append((number, line.decode(errors="replace")))
        else:
            entries.append(_entry(value, f"{path}, line {number}"))
    return Ledger(tuple(entries), tuple(skipped))


def entries_of(cost: Cost, *, seed: int | None = None, versions: dict[str, str] | None = None) -> list[Entry]:
    """A measured cost as entries, one for each kind of quantity that is known."""
    known = {
        "flops": (cost.flops, "FLOP"),
        "forwards": (cost.forwards, "forwards"),
        "wall_s": (cost.wall_s, "s"),
        "cpu_s": (cost.cpu_s, "s"),
        "peak_memory_bytes": (cost.peak_memory_bytes, "B"),
        "device_peak_bytes": (cost.device_peak_bytes, "B"),
    }
    return [
        Entry(cost.phase, kind, quantity, unit, _provenance(kind, cost), seed, versions or {})
        for kind, (quantity, unit) in known.items()
        if quantity is not None
    ]


def _provenance(kind: str, cost: Cost) -> str:
    missed = kind == "flops" and cost.uncounted
    return f"measured, a lower bound without {', '.join(sorted(cost.uncounted))}" if missed else "measured"


def _entry(value: object, where: str) -> Entry:
    expected = {item.name for item in fields(Entry)}
    if not isinstance(value, dict) or value.keys() != expected:
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise LedgerError(f"{where}: found {found}; expected an entry with {sorted(expected)}")
    return Entry(**{str(name): item for name, item in value.items()})


def _ends_a_line(descriptor: int) -> bool:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1) == b"\n"
