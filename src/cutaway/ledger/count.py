"""What the dispatcher saw so far: operations, operators, and those without a formula. Plain numbers; torch is not needed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Count:
    """Sums over the operators that ran.

    flops: operations of the operators that have a formula. useful: those that multiply two numbers neither of which is 0;
    only kept where it was asked for. operators, seconds: calls of all operators, and the time the host spent in them.
    uncounted: calls of operators without a formula, by name; uncounted_seconds: the time in them. shaped: calls of
    operators whose result has a shape that depends on values (`nonzero`), by name.
    """

    flops: int = 0
    useful: int = 0
    operators: int = 0
    seconds: float = 0.0
    uncounted: Counter[str] = field(default_factory=Counter)
    uncounted_seconds: float = 0.0
    shaped: Counter[str] = field(default_factory=Counter)

    def copy(self) -> Count:
        """As it is now."""
        return Count() + self

    def __add__(self, other: Count) -> Count:
        return Count(
            self.flops + other.flops,
            self.useful + other.useful,
            self.operators + other.operators,
            self.seconds + other.seconds,
            self.uncounted + other.uncounted,
            self.uncounted_seconds + other.uncounted_seconds,
            self.shaped + other.shaped,
        )

    def __sub__(self, earlier: Count) -> Count:
        return Count(
            self.flops - earlier.flops,
            self.useful - earlier.useful,
            self.operators - earlier.operators,
            self.seconds - earlier.seconds,
            self.uncounted - earlier.uncounted,
            self.uncounted_seconds - earlier.uncounted_seconds,
            self.shaped - earlier.shaped,
        )

    def add(self, other: Count) -> None:
        """As if those operators had run now."""
        self.flops += other.flops
        self.useful += other.useful
        self.operators += other.operators
        self.seconds += other.seconds
        self.uncounted_seconds += other.uncounted_seconds
        if other.uncounted or other.shaped:
            self.uncounted += other.uncounted
            self.shaped += other.shaped

    def same_work(self, other: Count) -> bool:
        """Whether both did the same operations and called the same operators without a formula as often."""
        return (self.flops, self.uncounted) == (other.flops, other.uncounted)


class Tally:
    """A count that several threads add to, with the rules that hold while they do.

    weighing, strict: how many open meters want useful operations, and refuse operators without a formula. written: is
    called after each operator where the count must survive its process (`children.py`).
    """

    def __init__(self) -> None:
        self.count = Count()
        self.weighing = 0
        self.strict = 0
        self.written: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def add(self, other: Count) -> None:
        """Add to the count."""
        with self._lock:
            self.count.add(other)

    def add_operator(self, name: str, flops: int | None, useful: int, seconds: float, shaped: bool) -> None:
        """One call of an operator; `flops` is None where it has no formula."""
        with self._lock:
            count = self.count
            count.operators += 1
            count.seconds += seconds
            if flops is None:
                count.uncounted[name] += 1
                count.uncounted_seconds += seconds
            else:
                count.flops += flops
                count.useful += useful
            if shaped:
                count.shaped[name] += 1
        if self.written is not None:
            self.written()

    def begin_again(self) -> None:
        """In a forked process: nothing counted yet, and no lock that a thread of the parent may have held."""
        self.count = Count()
        self._lock = threading.Lock()
