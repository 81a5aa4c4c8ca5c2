"""A stopwatch for people's time: started and stopped by two commands, so that what runs is a file, and survives a crash.

The entry of a stopped clock says when it was started; stopping again after a crash in between adds no second one.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cutaway.ledger.entry import Entry, Purpose
from cutaway.ledger.file import append, locked, read
from cutaway.runs import LEDGER

CLOCK = "clock.json"
LONG_H = 12.0
"""From here on a clock was probably forgotten."""


class ClockError(Exception):
    """The clock was started twice, stopped without a start, or runs backwards."""


@dataclass(frozen=True)
class Clock:
    """A running stopwatch: what is done, since when (seconds since 1970), what for, on which sub-model and module."""

    activity: str
    since: float
    purpose: Purpose = "discover"
    submodel: str = ""
    module: str = ""

    @property
    def started(self) -> str:
        """When, as people read it, to the microsecond."""
        return datetime.fromtimestamp(self.since, UTC).isoformat(timespec="microseconds")


def start(
    folder: str | os.PathLike[str],
    activity: str,
    purpose: Purpose = "discover",
    submodel: str = "",
    now: float | None = None,
    module: str = "",
) -> Clock:
    """Starts the clock of a folder. Of two starts at once one wins.

    Raises ClockError where it runs already or there is no such folder.
    """
    folder = Path(folder)
    if not activity.strip():
        raise ClockError("the clock was started for nothing; expected an activity, such as reading")
    if not folder.is_dir():
        raise ClockError(f"{folder}: no such folder; expected a run folder, or a folder of them, whose time this is")
    clock = Clock(activity.strip(), time.time() if now is None else now, purpose, submodel, module)
    beside = folder / f".{CLOCK}.{uuid.uuid4().hex[:8]}"
    beside.write_text(json.dumps(asdict(clock)) + "\n", encoding="utf-8")
    try:
        os.link(beside, folder / CLOCK)  # fails if it is there, unlike a rename
    except FileExistsError:
        running = running_in(folder)
        since = f"has run for {running.activity} since {running.started}" if running else "runs"
        raise ClockError(f"the clock of {folder} {since}; expected one at a time: stop it first") from None
    finally:
        beside.unlink(missing_ok=True)
    return clock


def stop(folder: str | os.PathLike[str], activity: str = "", now: float | None = None) -> Entry:
    """Stops the clock of a folder and books the time in its ledger. `activity`, if given, has to be the one that runs.

    Raises ClockError where no clock runs, another does, or less than no time has passed.
    """
    folder = Path(folder)
    with _alone(folder / CLOCK):
        clock = running_in(folder)
        if clock is None:
            raise ClockError(f"no clock runs in {folder}; expected a start before: cutaway cost clock start reading")
        if activity and activity != clock.activity:
            raise ClockError(
                f"given {activity!r} to stop; the clock of {folder} runs for {clock.activity!r}: stop that"
            )
        entry = _entry(clock, folder, time.time() if now is None else now)
        booked = _booked(folder, entry.note)
        if booked is None:
            append(folder / LEDGER, entry)
        (folder / CLOCK).unlink(missing_ok=True)
    return booked or entry


@contextmanager
def _alone(file: Path) -> Generator[None, None, None]:
    """Of two stops at once the second waits until the first has booked, and finds no clock."""
    try:
        clock = file.open(encoding="utf-8")
    except FileNotFoundError:
        yield  # there is none to stop
        return
    with clock, locked(clock.fileno()):
        yield


def _entry(clock: Clock, folder: Path, now: float) -> Entry:
    hours = (now - clock.since) / 3600
    if hours < 0:
        raise ClockError(
            f"the clock of {folder} was started at {clock.started}, which is still to come: the machine's time was set "
            f"back; remove {folder / CLOCK} and declare the hours"
        )
    return Entry(
        clock.activity,
        "person",
        hours,
        "person-hour",
        "declared",
        purpose=clock.purpose,
        module=clock.module,
        submodel=clock.submodel,
        note=f"by the clock, from {clock.started}",
    )


def running_in(folder: str | os.PathLike[str]) -> Clock | None:
    """The clock that runs in a folder. Raises ClockError for a file that is none."""
    path = Path(folder) / CLOCK
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        named = (str(found.get(name, "")) for name in ("submodel", "module"))
        return Clock(str(found["activity"]), float(found["since"]), found["purpose"], *named)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ClockError(f"{path} is no clock ({error}); remove it, and declare the hours") from error


def _booked(folder: Path, note: str) -> Entry | None:
    """The entry of this start, where a stop was cut short after it was booked."""
    if not (folder / LEDGER).is_file():
        return None
    found = read(folder / LEDGER).where(note=note).entries
    return found[0] if found else None
