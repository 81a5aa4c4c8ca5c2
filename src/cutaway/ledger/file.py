"""A ledger on disk, `ledger.jsonl` in the run folder: one JSON object a line, only ever appended to.

An entry is one write to a file opened for appending, under a lock, so that several processes may append at once. A
process killed while it writes leaves at most a half-written line; the next entry starts on a line of its own, and readers
skip what is half and say so.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from array import array
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from cutaway.ledger.book import Ledger
from cutaway.ledger.earlier import from_earlier, is_earlier
from cutaway.ledger.entry import Entry, LedgerError

_FIELDS = {item.name: item.default for item in fields(Entry)}
_REQUIRED = {item.name for item in fields(Entry) if item.default is MISSING and item.default_factory is MISSING}
_QUANTITY = b', "quantity": '
_END = re.compile(rb"(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]{1,2})?}\n")
"""What follows on a line whose quantity needs no second look; any other is parsed as JSON and checked."""


def append(path: str | os.PathLike[str], *entries: Entry) -> None:
    """Add a line an entry, all in one write. Safe with other processes that append to the same file."""
    if not entries:
        return
    text = "".join(line(entry) for entry in entries).encode()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        with locked(descriptor):
            _write(descriptor, (b"" if _ends_a_line(descriptor) else b"\n") + text)
    finally:
        os.close(descriptor)


def line(entry: Entry) -> str:
    """An entry as its line: fields that say nothing are left out; the quantity comes last, so that equal heads are seen."""
    plain = {**_FIELDS, "versions": {}, "resource": entry.unit}
    fields_of = {name: getattr(entry, name) for name in _FIELDS if name != "quantity"}
    said = {name: value for name, value in fields_of.items() if name in _REQUIRED or value != plain[name]}
    return json.dumps({**said, "quantity": entry.quantity}) + "\n"


def read(path: str | os.PathLike[str]) -> Ledger:
    """The entries of a ledger; half-written lines (a run was killed while writing) are skipped and said: `Ledger.said`.

    A line whose head was seen before is not parsed again, so a million entries take about a second.

    Raises LedgerError for a whole line that is not an entry, FileNotFoundError if there is no such file.
    """
    reader = _Reader(str(path))
    with Path(path).open("rb") as file:
        for number, text in enumerate(file, 1):
            reader.take(number, text)
    return reader.ledger()


class _Reader:
    """What has been read so far; `known` is the place of each head by the bytes of its line before the quantity."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[bytes, int] = {}
        self.heads: list[Entry] = []
        self.of, self.quantities = array("q"), array("d")
        self.skipped: list[tuple[int, str]] = []

    def take(self, number: int, text: bytes) -> None:
        """One line."""
        head, _, end = text.rpartition(_QUANTITY)
        plain = _END.fullmatch(end)
        place = self.known.get(head)
        if place is None or plain is None:
            self._parse(number, text.rstrip(b"\r\n"), head if plain else b"")
        else:
            self._add(place, float(end[:-2]))

    def _parse(self, number: int, text: bytes, head: bytes) -> None:
        """A line with a new head, of an earlier version, torn, or no entry at all."""
        try:
            value = json.loads(text)
        except ValueError:
            self.skipped.append((number, text.decode(errors="replace")))
            return
        entry = entry_of(value, f"{self.path}, line {number}")
        if head:
            self.known[head] = len(self.heads)
        self._add(len(self.heads), entry.quantity)
        self.heads.append(entry)

    def _add(self, place: int, quantity: float) -> None:
        self.of.append(place)
        self.quantities.append(quantity)

    def ledger(self) -> Ledger:
        """Everything that was taken."""
        return Ledger(tuple(self.heads), self.of, self.quantities, tuple(self.skipped))


def entry_of(value: Any, where: str) -> Entry:
    """The entry that a line's JSON says. Raises LedgerError, which begins with `where`."""
    if not isinstance(value, dict) or not _REQUIRED <= value.keys() <= _FIELDS.keys():
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        optional = sorted(_FIELDS.keys() - _REQUIRED)
        raise LedgerError(
            f"{where}: found {found}; expected an entry with {sorted(_REQUIRED)} and, if known, {optional}"
        )
    try:
        return from_earlier(value) if is_earlier(value) else Entry(**value)
    except (ValueError, TypeError) as error:
        raise LedgerError(f"{where}: {error}") from error


@contextmanager
def locked(descriptor: int) -> Generator[None, None, None]:
    """Alone with a file, among all who ask for that."""
    # A file system without locks still appends one write as a whole; only the check for a torn line can race there.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _write(descriptor: int, text: bytes) -> None:
    # A full disk or a signal can cut a write short; the rest follows under the same lock.
    while text:
        text = text[os.write(descriptor, text) :]


def _ends_a_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
