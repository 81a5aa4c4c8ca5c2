"""How far a long computation is. The library is silent by default; the command line passes `terminal()`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Told of a computation's total, of each step done, of what is worth saying, and of the end."""

    def start(self, total: int, what: str) -> None:
        """`total` steps of `what` are about to begin."""
        ...

    def advance(self, n: int) -> None:
        """`n` more steps are done."""
        ...

    def note(self, text: str) -> None:
        """Something the user should know: a shard recomputed, a batch halved."""
        ...

    def finish(self) -> None:
        """No more steps come, whether all were done or not."""
        ...


class Silent:
    """Says nothing."""

    def start(self, total: int, what: str) -> None:
        """Nothing."""

    def advance(self, n: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


silent = Silent()


@dataclass
class Lines:
    """A plain line at most every `every` seconds, for logs: `heads: 12 of 144, 8 %, 0:01:10 left`."""

    stream: IO[str]
    every: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _total: int = field(default=0, init=False)
    _done: int = field(default=0, init=False)
    _what: str = field(default="", init=False)
    _began: float = field(default=0.0, init=False)
    _said: float = field(default=0.0, init=False)

    def start(self, total: int, what: str) -> None:
        """Remember the total; nothing is written before `every` seconds have passed."""
        self._total, self._done, self._what = total, 0, what
        self._began = self._said = self.clock()

    def advance(self, n: int) -> None:
        """Count `n` steps and write a line if one is due."""
        self._done += n
        now = self.clock()
        if now - self._said >= self.every:
            self._said = now
            self.note(self._line(now))

    def note(self, text: str) -> None:
        """Write a line at once."""
        self.stream.write(text + "\n")
        self.stream.flush()

    def finish(self) -> None:
        """Nothing: the verb itself says what it found."""

    def _line(self, now: float) -> str:
        left = (now - self._began) * (self._total - self._done) / self._done if self._done else 0.0
        share = 100 * self._done // max(self._total, 1)
        ahead = f", {int(left) // 3600}:{int(left) // 60 % 60:02}:{int(left) % 60:02} left" if self._done else ""
        return f"{self._what}: {self._done} of {self._total}, {share} %{ahead}"


class Bar:
    """A bar with the time left, drawn by rich."""

    def __init__(self, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Drawn

        self._console = Console(file=stream)
        columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
        self._drawn: Any = Drawn(*columns, TimeRemainingColumn(), console=self._console, transient=True)

    def start(self, total: int, what: str) -> None:
        """Draw a new bar, below those that are still open."""
        self._drawn.start()
        self._task = self._drawn.add_task(what, total=total)

    def advance(self, n: int) -> None:
        """Move the newest bar."""
        self._drawn.advance(self._task, n)

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        self._console.print(text, markup=False, highlight=False)

    def finish(self) -> None:
        """Take the bar away and give the terminal back."""
        self._drawn.stop()
        self._drawn.remove_task(self._task)


def terminal(stream: IO[str] | None = None) -> Progress:
    """A bar on stderr where a person watches it, plain lines where it goes to a file."""
    stream = sys.stderr if stream is None else stream
    return Bar(stream) if stream.isatty() else Lines(stream)
