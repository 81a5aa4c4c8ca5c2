"""What a block of code costs: operations first, seconds second.

`with meter("trace", flops=True) as m:` … then `m.cost`. Meters nest, and an outer one includes the inner ones. The FLOP
count is opt-in because it runs every torch operator through Python.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_open: ContextVar[tuple[Meter, ...]] = ContextVar("open meters", default=())


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

    def __add__(self, other: Cost) -> Cost:
        """Both phases, one after the other. FLOPs are unknown if either's are."""
        return Cost(
            phase=self.phase if self.phase == other.phase else f"{self.phase} + {other.phase}",
            flops=None if self.flops is None or other.flops is None else self.flops + other.flops,
            uncounted=dict(Counter(self.uncounted) + Counter(other.uncounted)),
            forwards=self.forwards + other.forwards,
            wall_s=self.wall_s + other.wall_s,
            cpu_s=self.cpu_s + other.cpu_s,
            peak_memory_bytes=max(self.peak_memory_bytes, other.peak_memory_bytes),
            peak_raised_bytes=self.peak_raised_bytes + other.peak_raised_bytes,
            device_peak_bytes=max(self.device_peak_bytes or 0, other.device_peak_bytes or 0) or None,
        )

    def __str__(self) -> str:
        """One line: `trace: 12.3 GFLOP, 3 forwards, 0.52 s (0.98 s CPU), peak memory 812 MB`."""
        parts = [] if self.flops is None else [f"{_short(self.flops)}FLOP"]
        parts += [f"{self.forwards} forward{'s' * (self.forwards != 1)}"] if self.forwards else []
        parts += [f"{self.wall_s:.3g} s ({self.cpu_s:.3g} s CPU)", f"peak memory {_short(self.peak_memory_bytes)}B"]
        missed = ", ".join(f"{name} ×{calls}" for name, calls in self.uncounted.items())
        return f"{self.phase}: {', '.join(parts)}" + (f"; not counted: {missed}" if missed else "")


@dataclass
class Meter:
    """A running count; `cost` is there once its block has ended."""

    phase: str
    forwards: int = 0
    _cost: Cost | None = field(default=None, repr=False)

    @property
    def cost(self) -> Cost:
        """The cost of the block. Raises RuntimeError while the block still runs."""
        if self._cost is None:
            raise RuntimeError(f"the meter {self.phase!r} still runs; read its cost after the with block")
        return self._cost


@contextmanager
def meter(phase: str, *, flops: bool = False) -> Generator[Meter, None, None]:
    """Measure a block. The cost is there also after the block raised, so that a failed attempt can be booked.

    `flops=True` counts floating-point operations, which costs time (every operator passes through Python).
    """
    running = Meter(phase)
    mark = _open.set((*_open.get(), running))
    counter = _counter() if flops else None
    before = _peak()
    _wait_for_devices()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with counter or nullcontext():
            yield running
    finally:
        _wait_for_devices()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        _open.reset(mark)
        running._cost = Cost(
            phase=phase,
            flops=None if counter is None else counter.flops,
            uncounted={} if counter is None else dict(counter.uncounted),
            forwards=running.forwards,
            wall_s=wall,
            cpu_s=cpu,
            peak_memory_bytes=_peak(),
            peak_raised_bytes=_peak() - before,
            device_peak_bytes=_device_peak(),
        )


def count_forwards(n: int = 1) -> None:
    """Report `n` passes of a network to all open meters. The engine calls this; without a meter it does nothing."""
    for running in _open.get():
        running.forwards += n


def count_flops(fn: Callable[[], Any]) -> int:
    """The floating-point operations of one call of `fn`, by the conventions of `flops.py`.

    >>> import torch
    >>> a, b = torch.ones(3, 4), torch.ones(4, 5)
    >>> count_flops(lambda: a @ b)
    120
    """
    counter = _counter()
    with counter:
        fn()
    return counter.flops


def _counter() -> Any:
    from cutaway.ledger.flops import FlopCounter

    return FlopCounter()


def _peak() -> int:
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _devices() -> Any:
    # A meter must neither import torch nor start CUDA: it looks only at what the block already uses.
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


def _wait_for_devices() -> None:
    if cuda := _devices():
        for device in range(cuda.device_count()):
            cuda.synchronize(device)


def _device_peak() -> int | None:
    cuda = _devices()
    return max(map(cuda.max_memory_allocated, range(cuda.device_count())), default=None) if cuda else None


def _short(number: float) -> str:
    prefixes = ["", "k", "M", "G", "T", "P", "E"]
    while number >= 999.5 and len(prefixes) > 1:
        number, prefixes = number / 1000, prefixes[1:]
    return f"{number:.3g} {prefixes[0]}"
