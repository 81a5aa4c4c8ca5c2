"""The ledgers of a study: of a run folder, or of all run folders in it, with what could not be read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from cutaway.ledger import Entry, Ledger, LedgerError, Purpose, read
from cutaway.runs import LEDGER, RunError, Table, load_parquet
from cutaway.runs.folder import RUN_FILE

UNFINISHED = (".tmp-", ".old-")
OF_KIND: dict[str, Purpose] = {
    "network": "train",
    "trace": "discover",
    "matches": "discover",
    "differences": "discover",
    "circuit": "discover",
    "frontier": "discover",
    "rerun": "apply",
}
"""What a run of this kind was for, where its entries do not say: cutaway 0.1 did not."""


class CostError(Exception):
    """A study has no ledger to add up, or what is declared beside it does not fit."""


@dataclass(frozen=True)
class Book:
    """The ledger of one folder. kind: what made the run, "" where there is none (a stopwatch, a run that was stopped).

    named: the sub-models that the run names (the used parts of a trace, the concepts that are present, a circuit); None where
    a run of this kind names none.
    """

    path: Path
    kind: str
    info: dict[str, Any]
    ledger: Ledger
    named: int | None

    def of(self, *purposes: Purpose) -> Ledger:
        """The entries for these purposes."""
        return self.ledger.where(lambda head: head.purpose in purposes)


@dataclass(frozen=True)
class Study:
    """The books of one or several folders, and sentences about what could not be read."""

    books: tuple[Book, ...]
    said: tuple[str, ...]

    @property
    def ledger(self) -> Ledger:
        """All entries."""
        return reduce(add, (book.ledger for book in self.books), Ledger())


def study(folders: Sequence[str | os.PathLike[str]]) -> Study:
    """The books in these folders, each once. Raises CostError for a folder that is not there, or where nothing was booked."""
    books: list[Book] = []
    said: list[str] = []
    for path in _homes(Path(folder) for folder in folders):
        if not (path / LEDGER).is_file():
            if (path.parent / RUN_FILE).is_file():  # a part of another run, whose ledger counts
                continue
            said.append(f"{path}: a run without a ledger, so what it cost is missing")
            continue
        try:
            book = _book(path)
        except (LedgerError, OSError, UnicodeDecodeError) as error:
            said.append(f"what was spent there is missing: {error}")
            continue
        books.append(book)
        said += [f"{path / LEDGER}: {book.ledger.said}"] if book.ledger.said else []
    if not any(len(book.ledger) for book in books):
        why = f" ({'; '.join(said)})" if said else ""
        raise CostError(
            f"{', '.join(map(str, folders))}: nothing is booked there{why}; expected run folders, as --out writes them"
        )
    return Study(tuple(books), tuple(said))


def _homes(folders: Iterable[Path]) -> list[Path]:
    """Every folder with a ledger or a run in or under these, each once; not those that are being written."""
    found: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise CostError(f"{folder}: no such folder; expected a run folder, or a folder of them")
        for name in (LEDGER, RUN_FILE):
            for file in sorted(folder.rglob(name)):
                if not any(mark in part for part in file.relative_to(folder).parts for mark in UNFINISHED):
                    found.setdefault(file.parent.resolve(), file.parent)
    return [found[key] for key in sorted(found)]


def _book(path: Path) -> Book:
    info = _info(path)
    kind = str(info.get("kind", ""))
    ledger, purpose = read(path / LEDGER), OF_KIND.get(kind)
    if purpose is not None:
        heads = tuple(replace(head, purpose=head.purpose or purpose) for head in ledger.heads)
        ledger = replace(ledger, heads=heads)
    if kind == "network" and not len(ledger.where(purpose="train", resource="flops")):
        ledger += Ledger.from_entries(_recorded(path))
    return Book(path, kind, info, ledger, _named(path, kind, info))


def _info(path: Path) -> dict[str, Any]:
    found = _json(path / RUN_FILE)
    return found if isinstance(found, dict) else {}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _recorded(path: Path) -> Iterator[Entry]:
    """The operations that a network's record tells, where its ledger is from before they were booked."""
    record = _json(path / "record.json")
    if isinstance(record, dict) and record.get("executed"):
        note = "from the record of the run"
        yield Entry("training", "compute", record["executed"], "FLOP", "derived", "flops", purpose="train", note=note)


def _named(path: Path, kind: str, info: dict[str, Any]) -> int | None:
    """How many sub-models a run names."""
    arguments = info.get("arguments") or {}
    if kind == "trace":
        nodes = _table(path / "nodes.parquet")
        return None if nodes is None or "state" not in nodes.columns else list(nodes["state"]).count("used")
    if kind == "matches":
        return int((arguments.get("verdicts") or {}).get("present", 0))
    if kind == "differences":
        return len(arguments.get("named") or ())
    return 1 if kind == "circuit" else None


def _table(path: Path) -> Table | None:
    try:
        return load_parquet(path)
    except (RunError, OSError):
        return None
