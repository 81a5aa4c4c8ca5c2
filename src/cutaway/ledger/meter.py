"""What a block of code costs: operations first, seconds second.

`with meter("trace", flops=True) as m:` … then `m.cost`. Meters nest, and an outer one includes the inner ones. The FLOP
count is opt-in because it runs every torch operator through Python; steps that repeat are counted once (`Meter.step`).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from cutaway.ledger.children import Worker, children_cpu_s
from cutaway.ledger.cost import Cost, State, by_phase
from cutaway.ledger.counting import Counting, current
from cutaway.ledger.steps import Step, Steps

__all__ = ["Cost", "Meter", "count_backwards", "count_examples", "count_flops", "count_forwards", "meter"]

_open: ContextVar[tuple[Meter, ...]] = ContextVar("open meters", default=())


@dataclass(eq=False)
class Meter:
    """A running count; `cost` is there once its block has ended."""

    phase: str
    forwards: int = 0
    backwards: int = 0
    examples: int = 0
    tokens: int = 0
    _cost: Cost | None = field(default=None, repr=False)
    _counting: Counting | None = field(default=None, repr=False)
    _steps: Steps | None = field(default=None, repr=False)
    _parts: tuple[Cost, ...] = field(default=(), repr=False)

    @property
    def cost(self) -> Cost:
        """The cost of the block. Raises RuntimeError while the block still runs."""
        if self._cost is None:
            raise RuntimeError(f"the meter {self.phase!r} still runs; read its cost after the with block")
        return self._cost

    def step(self, *given: Any) -> Step:
        """A block that does the same work whenever it is given the same, so that it is counted only now and then.

        `with m.step(network, batch):` around a training step. Of tensors and modules their `signature` counts: shapes and
        settings, not values; gradients on or off, inference mode and autocast are told apart by themselves. What happens
        where the same signature does other work is in `steps.py`; give what else decides the work (`m.step(batch, depth)`).
        Without `flops=True` it does nothing. Useful operations depend on values: with `useful=True` every call is counted.

        Raises TypeError for what has no signature.
        """
        if self._counting is None:
            return Step(None, None, ())
        if self._steps is None:
            self._steps = Steps(self.phase, self._counting.doubts)
        return Step(self._steps, self._counting, given)

    @property
    def worker(self) -> Worker:
        """An initializer for child processes that are started afresh (spawn, forkserver), so that they count here too.

        `DataLoader(…, worker_init_fn=m.worker)`, `ProcessPoolExecutor(initializer=m.worker)`. Forked ones count anyway.
        """
        if self._counting is None:
            return Worker(None)
        self._counting.children.folder.mkdir(exist_ok=True)
        return Worker(str(self._counting.children.folder))


@contextmanager
def meter(
    phase: str, *, flops: bool = False, useful: bool = False, strict: bool = False
) -> Generator[Meter, None, None]:
    """Measure a block. The cost is there also after the block raised, so that a failed attempt can be booked.

    flops: count floating-point operations, which costs time (every operator passes through Python). useful: also those
    that multiply no zero (`useful.py`), which looks at every number. strict: raise UncountedError at the first operator that
    has no formula. The last two count operations too.
    """
    running = Meter(phase)
    outer = _open.get()
    begun = _Begun(running, useful, strict, flops or useful or strict)
    _open.set((*outer, running))
    state: State = "done"
    try:
        yield running
    except BaseException as error:
        state = "failed" if isinstance(error, Exception) else "aborted"
        raise
    finally:
        # Not a reset: a generator may close its meter after one that was opened later.
        _open.set(tuple(one for one in _open.get() if one is not running))
        running._cost = begun.ended(state)
        if outer:
            outer[-1]._parts = by_phase((*outer[-1]._parts, running._cost))


def count_forwards(n: int = 1) -> None:
    """Report `n` passes of a network to all open meters. The engine calls this; without a meter it does nothing."""
    for running in _listening():
        running.forwards += n


def count_backwards(n: int = 1) -> None:
    """Report `n` backward passes to all open meters."""
    for running in _listening():
        running.backwards += n


def count_examples(examples: int, tokens: int = 0) -> None:
    """Report data that was looked at to all open meters, repeats counted."""
    for running in _listening():
        running.examples += examples
        running.tokens += tokens


def count_flops(fn: Callable[[], Any]) -> int:
    """The floating-point operations of one call of `fn`, by the conventions of `flops.py`.

    >>> import torch
    >>> a, b = torch.ones(3, 4), torch.ones(4, 5)
    >>> count_flops(lambda: a @ b)
    120
    """
    from cutaway.ledger.flops import FlopCounter

    with FlopCounter() as counter:
        fn()
    return counter.flops


class _Begun:
    """All clocks and counts as they were when a meter began."""

    def __init__(self, running: Meter, useful: bool, strict: bool, flops: bool) -> None:
        self.running, self.asked = running, (useful, strict)
        if flops:
            shared = current.get()
            counting = running._counting = shared if shared is not None and shared.serves() else Counting()
            current.set(counting)
            counting.join(running, *self.asked)
            self.count, self.child_s = counting.so_far()
            self.unseen, self.doubts = counting.unseen_s(), len(counting.doubts)
        self.peak, self.children = _peak(), children_cpu_s()
        _wait_for_devices()
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def ended(self, state: State) -> Cost:
        """What it cost since then."""
        _wait_for_devices()
        wall, cpu, running = time.perf_counter() - self.wall, time.process_time() - self.cpu, self.running
        seconds: dict[str, Any] = {
            "wall_s": wall,
            "cpu_s": cpu,
            "children_cpu_s": max(0.0, children_cpu_s() - self.children),
        }
        passes: dict[str, Any] = {
            name: getattr(running, name) for name in ("forwards", "backwards", "examples", "tokens")
        }
        return Cost(
            phase=running.phase,
            peak_memory_bytes=_peak(),
            peak_raised_bytes=_peak() - self.peak,
            device_peak_bytes=_device_peak(),
            state=state,
            parts=running._parts,
            **seconds,
            **passes,
            **self._counted(),
        )

    def _counted(self) -> dict[str, Any]:
        counting = self.running._counting
        if counting is None:
            return {"flops": None, "uncounted": {}}
        now, child_s = counting.so_far()
        found, steps = now - self.count, self.running._steps
        unseen = counting.unseen_s() - self.unseen
        counting.leave(self.running, *self.asked)
        if not counting.meters and current.get() is counting:
            current.set(None)
        return {
            "flops": found.flops,
            "useful": found.useful if self.asked[0] else None,
            "uncounted": dict(found.uncounted),
            "operators": found.operators,
            "operator_s": found.seconds,
            "uncounted_s": found.uncounted_seconds,
            "steps": steps.calls if steps else 0,
            "steps_counted": steps.counted if steps else 0,
            "children_counted_s": child_s - self.child_s,
            "unseen_s": unseen,
            "doubts": tuple(counting.doubts[self.doubts :]),
        }


def _listening() -> list[Meter]:
    """The meters open here; in a thread that was started inside a meter, those that count there."""
    counting = current.get()
    return list(_open.get()) or ([] if counting is None else list(counting.meters))


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
