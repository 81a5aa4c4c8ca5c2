"""Child processes of a metered phase: their CPU seconds always, their operations where they can be counted.

A process forked by `multiprocessing` (workers of a DataLoader, a pool) inherits the counter and keeps its count in a file
of its own, which the parent adds up. A process started afresh (spawn, forkserver) counts if it is given `Worker` as its
initializer; anything else (a subprocess) has CPU seconds only.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing import util
from pathlib import Path
from typing import Any

from cutaway.ledger.count import Count, Tally

EVERY_S = 0.1
"""How often a child writes down its count: what a killed child loses at most."""


class Children:
    """The child processes of one counting process."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.folder = Path(tempfile.gettempdir()) / f"cutaway-meter-{os.getpid()}-{secrets.token_hex(4)}"
        self.prefix = ""
        """Of the files of this process's own children: each child puts its number in front of those of its children."""
        self._mode: Any = None

    def expect(self, mode: Any) -> None:
        """From now on forked children count with `mode`."""
        self._mode = mode
        util.register_after_fork(self, Children._in_child)

    def forget(self) -> None:
        """Children no longer count; what they wrote is removed."""
        self._mode = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def counted(self) -> tuple[Count, float]:
        """What children have counted so far, and their CPU seconds until then."""
        count, seconds = Count(), 0.0
        if self.folder.is_dir():
            for file in self.folder.glob(f"{self.prefix}*.json"):
                found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
                seconds += found.pop("cpu_s")
                for name in ("uncounted", "shaped"):
                    found[name] = Counter(found[name])
                count.add(Count(**found))
        return count, seconds

    def _in_child(self) -> None:
        if self._mode is None:
            return
        from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

        self.tally.begin_again()
        if all(mode is not self._mode for mode in _get_current_dispatch_mode_stack()):
            self._mode.__enter__()  # forked inside a step that was taken as known, or from another thread
        name = f"{self.prefix}{os.getpid()}"
        self.prefix = f"{name}-"
        Record(self.folder, self.tally, name).keep()


class Record:
    """The count of this process, in a file of its own."""

    def __init__(self, folder: Path, tally: Tally, name: str) -> None:
        self.folder, self.tally, self.name = folder, tally, name
        self._due = 0.0

    def keep(self) -> None:
        """Write now, at the end of the process, and every tenth of a second that something is counted."""
        self.folder.mkdir(exist_ok=True)
        self.write()
        self.tally.written = self.when_due
        util.Finalize(None, self.write, exitpriority=0)

    def when_due(self) -> None:
        """Write if it is time."""
        if time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        """To disk, by rename. Once the parent's meter has ended there is no folder, and nothing is written."""
        self._due = time.monotonic() + EVERY_S
        beside = self.folder / f"{self.name}.tmp"
        try:
            beside.write_text(json.dumps({**vars(self.tally.count), "cpu_s": time.process_time()}), encoding="utf-8")
            os.replace(beside, beside.with_suffix(".json"))
        except FileNotFoundError:
            self.tally.written = None


@dataclass(frozen=True)
class Worker:
    """Makes the process that calls it count for the meter it came from: an initializer for pools and DataLoaders.

    Takes any arguments and ignores them. Does nothing in a process that counts already, or where the meter does not.
    """

    folder: str | None

    def __call__(self, *_: object) -> None:
        """Begin to count in this process."""
        from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

        from cutaway.ledger.flops import FlopCounter

        if self.folder is None or any(isinstance(mode, FlopCounter) for mode in _get_current_dispatch_mode_stack()):
            return
        tally = Tally()
        FlopCounter(tally).__enter__()
        Record(Path(self.folder), tally, str(os.getpid())).keep()


def children_cpu_s() -> float:
    """CPU seconds of all child processes so far: those that ended and, on Linux, those that still run."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(map(_cpu_s, _children(os.getpid())))


def _cpu_s(process: int) -> float:
    """Of a process, the children that it waited for and those that still run."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            ticks = sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    except OSError:
        return 0.0  # it has just ended
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(_cpu_s, _children(process)))


def _children(process: int) -> list[int]:
    found = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children", encoding="utf-8") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found
