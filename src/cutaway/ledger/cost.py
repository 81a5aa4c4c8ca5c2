"""What one phase cost: operations first, seconds second, and what is not known about either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["done", "failed", "aborted"]
STATES: tuple[State, ...] = ("done", "failed", "aborted")
NOTED_S = 0.02
"""CPU seconds outside the count below which nothing is said: two ticks of the clock that they are read from."""


@dataclass(frozen=True)
class Cost:
    """What one phase cost.

    flops: floating-point operations by the conventions of `flops.py`; None if they were not counted.
    uncounted: operators without a formula, with their calls: where it is not empty, `flops` is a lower bound.
    forwards: passes through a network, as its engine reports them.
    wall_s, cpu_s: seconds on the clock, and of this process on all its cores (worker processes are not included).
    peak_memory_bytes: highest resident memory of the process from its start to the end of the phase.
    peak_raised_bytes: by how much the phase raised that peak. Zero means "below an earlier peak", not "no memory".
    device_peak_bytes: highest memory allocated by torch on one CUDA device so far; None where CUDA is not in use.
    state: "done", "failed" (it raised) or "aborted" (interrupted from outside); what it cost until then is all here.
    useful: of `flops`, those that multiply two numbers neither of which is 0 (`useful.py`); None if not asked for.
    backwards, examples, tokens: as `count_backwards` and `count_examples` were told.
    operators, operator_s: calls of all operators, and the seconds the host spent in them; uncounted_s: of these, in
    operators without a formula (the call alone: on a GPU the kernel may run on after it).
    steps, steps_counted: calls of `Meter.step`, and how many of them were counted rather than taken as known.
    children_cpu_s: CPU seconds of child processes; children_counted_s: of these, in processes whose operations are in
    `flops`.
    unseen_s: CPU seconds of threads of this process that were there before counting began: not in `flops`.
    doubts: sentences that say where `flops` may not be exact.
    parts: the phases metered inside this one, each summed over its runs.
    """

    phase: str
    flops: int | None
    uncounted: dict[str, int]
    forwards: int
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    peak_raised_bytes: int
    device_peak_bytes: int | None = None
    state: State = "done"
    useful: int | None = None
    backwards: int = 0
    examples: int = 0
    tokens: int = 0
    operators: int = 0
    operator_s: float = 0.0
    uncounted_s: float = 0.0
    steps: int = 0
    steps_counted: int = 0
    children_cpu_s: float = 0.0
    children_counted_s: float = 0.0
    unseen_s: float = 0.0
    doubts: tuple[str, ...] = ()
    parts: tuple[Cost, ...] = ()

    def __add__(self, other: Cost) -> Cost:
        """Both phases, one after the other. FLOPs are unknown if either's are; the worse state counts."""
        return Cost(
            phase=self.phase if self.phase == other.phase else f"{self.phase} + {other.phase}",
            flops=_sum(self.flops, other.flops),
            uncounted=dict(Counter(self.uncounted) + Counter(other.uncounted)),
            peak_memory_bytes=max(self.peak_memory_bytes, other.peak_memory_bytes),
            device_peak_bytes=max(self.device_peak_bytes or 0, other.device_peak_bytes or 0) or None,
            state=max(self.state, other.state, key=STATES.index),
            useful=_sum(self.useful, other.useful),
            doubts=tuple(dict.fromkeys(self.doubts + other.doubts)),
            parts=by_phase(self.parts + other.parts),
            **_each(lambda name: getattr(self, name) + getattr(other, name)),
        )

    @property
    def unattributed(self) -> Cost:
        """What this phase cost outside the phases metered inside it.

        Work that a closed phase left behind (a generator, a callback) and that ran later is here. Operations are unknown
        where those of a part are. Memory is not divided.
        """
        parts = self.parts
        known = self.flops is not None and all(part.flops is not None for part in parts)
        weighed = self.useful is not None and all(part.useful is not None for part in parts)
        uncounted = Counter(self.uncounted)
        uncounted.subtract({name: sum(part.uncounted.get(name, 0) for part in parts) for name in uncounted})
        return Cost(
            phase=f"{self.phase}, unattributed",
            flops=(self.flops or 0) - sum(part.flops or 0 for part in parts) if known else None,
            useful=(self.useful or 0) - sum(part.useful or 0 for part in parts) if weighed else None,
            uncounted={name: calls for name, calls in uncounted.items() if calls > 0},
            peak_memory_bytes=self.peak_memory_bytes,
            state=self.state,
            doubts=tuple(one for one in self.doubts if not any(one in part.doubts for part in parts)),
            **_each(
                lambda name: getattr(self, name) - sum(getattr(part, name) for part in parts), without=_OF_ONE_METER
            ),
        )

    @property
    def uncounted_share(self) -> tuple[float, float]:
        """The share of operators without a formula: of all calls, and of the time in all operators."""
        calls = sum(self.uncounted.values())
        return calls / max(self.operators, calls, 1), self.uncounted_s / (self.operator_s or 1.0)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Whatever keeps `flops` from being exact; empty where nothing is known to."""
        if self.flops is None:
            return ()
        said = []
        if self.uncounted:
            calls, time = self.uncounted_share
            names = ", ".join(f"{name} ×{calls}" for name, calls in self.uncounted.items())
            shares = f" ({calls:.2g} of calls, {time:.2g} of the time in operators)" if self.operators else ""
            said.append(f"not counted: {names}{shares}")
        if (missed := self.children_cpu_s - self.children_counted_s) > NOTED_S:
            said.append(f"work in child processes: {missed:.2f} CPU-s, operations not counted")
        if self.unseen_s > NOTED_S:
            said.append(f"work in threads from before the count: {self.unseen_s:.2f} CPU-s, operations not counted")
        return (*said, *self.doubts)

    def __str__(self) -> str:
        """One line: `trace: 12.3 GFLOP, 3 forwards, 0.52 s (0.98 s CPU), peak memory 812 MB`."""
        parts = [] if self.flops is None else [f"{_short(self.flops)}FLOP"]
        parts += [f"{_short(self.useful)}FLOP useful"] if self.useful is not None else []
        parts += [_counted(self.forwards, "forward")] if self.forwards else []
        parts += [_counted(self.backwards, "backward")] if self.backwards else []
        parts += [_counted(self.examples, "example")] if self.examples else []
        parts += [_counted(self.tokens, "token")] if self.tokens else []
        parts += [f"{self.wall_s:.3g} s ({self.cpu_s:.3g} s CPU)", f"peak memory {_short(self.peak_memory_bytes)}B"]
        rest = self.unattributed.flops if self.parts else None
        said = [f"{_short(rest)}FLOP in none of its phases"] if rest else []
        state = "" if self.state == "done" else f" ({self.state})"
        return "; ".join([f"{self.phase}{state}: {', '.join(parts)}", *said, *self.caveats])


_ADDED = (
    "forwards",
    "wall_s",
    "cpu_s",
    "peak_raised_bytes",
    "backwards",
    "examples",
    "tokens",
    "operators",
    "operator_s",
    "uncounted_s",
    "steps",
    "steps_counted",
    "children_cpu_s",
    "children_counted_s",
    "unseen_s",
)
_OF_ONE_METER = ("steps", "steps_counted")


def _each(value: Callable[[str], Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {name: value(name) for name in _ADDED if name not in without}


def by_phase(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """Costs of the same phase summed, in the order in which the phases first came."""
    found: dict[str, Cost] = {}
    for cost in costs:
        found[cost.phase] = found[cost.phase] + cost if cost.phase in found else cost
    return tuple(found.values())


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _short(number: float) -> str:
    prefixes = ["", "k", "M", "G", "T", "P", "E"]
    while number >= 999.5 and len(prefixes) > 1:
        number, prefixes = number / 1000, prefixes[1:]
    return f"{number:.3g} {prefixes[0]}"
