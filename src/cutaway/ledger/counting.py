"""The one operator counter that all open meters of a thread share, and what else counts into it: new threads, children.

Meters take what was counted between their begin and their end, so that nesting costs nothing and an inner meter that
outlives its outer one (a generator that is closed late) still counts.
"""

from __future__ import annotations

import os
import sys
import threading
from contextvars import ContextVar
from typing import Any

from cutaway.ledger.children import Children
from cutaway.ledger.count import Count, Tally

current: ContextVar[Counting | None] = ContextVar("counting", default=None)


class Counting:
    """Counts from the first `join` to the last `leave`."""

    def __init__(self) -> None:
        from cutaway.ledger.flops import FlopCounter

        self.tally = Tally()
        self.mode = FlopCounter(self.tally)
        self.children = Children(self.tally)
        self.elsewhere = _threads()
        self.thread = threading.get_ident()
        self.doubts: list[str] = []
        self.meters: list[Any] = []
        self.known = 0
        """How many steps run that are taken as known: threads that they start are part of them."""

    def join(self, meter: Any, useful: bool, strict: bool) -> None:
        """A meter begins."""
        if not self.meters:
            self.mode.__enter__()
            self.children.expect(self.mode)
            self._follow_threads()
        self.meters.append(meter)
        self.tally.weighing += useful
        self.tally.strict += strict

    def leave(self, meter: Any, useful: bool, strict: bool) -> None:
        """A meter ends. Raises RuntimeError if another torch mode was opened inside it and not closed."""
        self.meters.remove(meter)
        self.tally.weighing -= useful
        self.tally.strict -= strict
        if not self.meters:
            self._leave_threads()
            self.children.forget()
            if self.mode_on_top() is not self.mode:
                raise RuntimeError(
                    "a meter ended while a torch dispatch mode that was opened inside it was still open, or in another "
                    "thread than it began in; close what is opened inside a meter before its end"
                )
            self.mode.__exit__(None, None, None)

    def serves(self) -> bool:
        """Whether a meter that begins here can share it: it still counts, in this thread."""
        return bool(self.meters) and self.thread == threading.get_ident()

    def so_far(self) -> tuple[Count, float]:
        """What was counted, that of child processes included, and the CPU seconds of these."""
        children, seconds = self.children.counted()
        return self.tally.count + children, seconds

    def unseen_s(self) -> float:
        """CPU seconds since the beginning of threads that were there before, which no counter follows."""
        now = _threads()
        return sum(now[thread] - before for thread, before in self.elsewhere.items() if thread in now)

    def mode_on_top(self) -> Any:
        """The counter of this thread, if operators reach it before any other mode; else None."""
        from torch.utils._python_dispatch import _get_current_dispatch_mode

        from cutaway.ledger.flops import FlopCounter

        top = _get_current_dispatch_mode()
        return top if isinstance(top, FlopCounter) and top.tally is self.tally else None

    def _follow_threads(self) -> None:
        """Every thread started from now on counts into the same tally, and reports to the meters open where it was."""
        self._profiler = earlier = threading.getprofile()

        def begin(*event: Any) -> None:
            from cutaway.ledger.flops import FlopCounter

            sys.setprofile(earlier)
            if self.meters and not self.known:
                FlopCounter(self.tally).__enter__()  # it ends with its thread
                current.set(self)

        self._begin = begin
        threading.setprofile(begin)

    def _leave_threads(self) -> None:
        if threading.getprofile() is self._begin:
            threading.setprofile(self._profiler)


def _threads() -> dict[int, float]:
    """CPU seconds of each other thread that Python knows of (Linux; elsewhere none is known)."""
    found = {}
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.native_id is not None:
            try:
                with open(f"/proc/self/task/{thread.native_id}/stat", encoding="utf-8") as file:
                    user, system = file.read().rpartition(")")[2].split()[11:13]
            except OSError:
                continue
            found[thread.native_id] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return found
