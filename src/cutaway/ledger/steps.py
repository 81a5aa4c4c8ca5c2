"""Steps that repeat: the first of a kind is counted, the next are known, and some are counted again to be sure.

The contract: calls with the same key (`signature.py`) do the same work. Nothing outside values can be seen to break
it cheaply, so it is checked: the first call of a key is counted, one drawn from calls 2, 3 to 4, 5 to 8, … 33 to 64, then each
with a chance of 1 in 256, so that no period hides. A key whose count changes is counted at every call from then on, and the
change is told; so is a key that runs an operator whose result has a shape that depends on values. If none of a audits beyond
call 64 differ, at most 3/a of those calls do (95 %, the rule of three); of the first 64 a minority may, unseen.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextvars import Token
from dataclasses import dataclass
from random import Random
from typing import Any

from cutaway.ledger.count import Count
from cutaway.ledger.counting import Counting, current

DOUBLING = 64
ONE_IN = 256


@dataclass
class Known:
    """A key of a step: what one call does, how often it was called, and how many calls were taken as known since the
    last that was counted. `varies`: it is counted at every call; `audit`: the one to count of those up to the next power of 2."""

    work: Count
    calls: int = 1
    unchecked: int = 0
    varies: bool = False
    audit: int = 0


class Steps:
    """The steps of the meter of `phase`; what is doubtful about them is said in `doubts`."""

    def __init__(self, phase: str, doubts: list[str]) -> None:
        self.phase, self.doubts = phase, doubts
        self.known: dict[Hashable, Known] = {}
        self.calls = 0
        self.counted = 0
        self._draw = Random(0)

    def due(self, known: Known | None) -> bool:
        """Whether the next call of a key is counted; it is one call more either way."""
        self.calls += 1
        if known is None:
            return True
        known.calls += 1
        if known.calls > DOUBLING:
            return known.varies or self._draw.random() * ONE_IN < 1
        before = known.calls - 1
        if before & (before - 1) == 0:
            known.audit = known.calls + self._draw.randrange(before)
        return known.varies or known.calls == known.audit

    def check(self, key: Hashable, work: Count) -> None:
        """Take in what a counted call did."""
        self.counted += 1
        known = self.known.get(key)
        if known is None:
            self.known[key] = Known(work, varies=bool(work.shaped))
            return
        if not known.varies and not known.work.same_work(work):
            known.varies = True
            self.doubts.append(
                f"a step of {self.phase!r} changed: {_told(known.work)} before, {_told(work)} at call {known.calls}; "
                f"{known.unchecked} calls between were taken as before, all later ones are counted"
            )
        known.unchecked = 0


class Step:
    """One call of a step, as a `with` block (`Meter.step`). Does nothing where `steps` are None."""

    _key: Hashable
    _before: Count
    _mark: Token[Counting | None]
    _mode: Any

    def __init__(self, steps: Steps | None, counting: Counting | None, given: tuple[Any, ...]) -> None:
        self._steps, self._counting, self._given = steps, counting, given

    def __enter__(self) -> Step:
        if self._steps is None or self._counting is None:
            return self
        if current.get() is not self._counting:
            self._steps = None  # inside another step that is taken as known, or in a thread that is not counted
            return self
        from cutaway.ledger.signature import ambient, signature

        self._key = signature(*self._given), ambient()
        known = self._steps.known.get(self._key)
        due = self._steps.due(known)
        tally = self._counting.tally
        self._mode = None if due or tally.weighing or tally.strict else self._counting.mode_on_top()
        if known is None or self._mode is None:
            self._before = tally.count.copy()
        else:
            known.unchecked += 1
            self._mark = current.set(None)
            self._counting.known += 1
            self._mode.__exit__(None, None, None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._steps is None or self._counting is None:
            return
        tally = self._counting.tally
        if self._mode is None:
            if kind is None:
                self._steps.check(self._key, tally.count - self._before)
            return
        self._mode.__enter__()
        self._counting.known -= 1
        current.reset(self._mark)
        work = self._steps.known[self._key].work
        tally.add(work)
        if kind is not None:
            self._steps.doubts.append(
                f"a step of {self._steps.phase!r} ended in {kind.__name__} and was taken as whole: {work.flops} FLOP is "
                f"more than it did"
            )


def _told(work: Count) -> str:
    return f"{work.flops} FLOP" + "".join(f" and {name} ×{calls}" for name, calls in work.uncounted.items())
