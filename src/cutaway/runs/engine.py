"""Where a map over many items runs: in this process, in several on this machine, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")
Result = TypeVar("Result")


class EngineError(Exception):
    """An engine cannot run what it was given, or lost a worker."""


@runtime_checkable
class Engine(Protocol):
    """Maps a function over items. Results come as they are done, each with the index of its item."""

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        """Yield `(index, fn(item))` in any order. An exception of `fn` is raised here."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One item after another, in this process and in order."""

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        """Yield `(index, fn(item))` in the order of the items."""
        for index, item in enumerate(items):
            yield index, fn(item)


@dataclass(frozen=True)
class Processes:
    """Several fresh Python processes on this machine, which share its cores.

    `fn` must be importable, items and results are sent between processes. Workers start anew (spawn), never as forks:
    a fork of a process that has used torch's threads can hang.
    """

    workers: int

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise EngineError(f"given {self.workers} workers; expected 1 or more")

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        """Yield `(index, fn(item))` as workers finish. Raises EngineError if a worker dies."""
        _check_importable(fn)
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, context, initializer=_start_worker, initargs=(threads,))
        finished = False
        try:
            indices = {pool.submit(fn, item): index for index, item in enumerate(items)}
            for future in as_completed(indices):
                yield indices[future], future.result()
            finished = True
        except BrokenProcessPool as error:
            raise EngineError(
                f"a worker process died while running {_name(fn)} (killed, out of memory, or a script without "
                f'`if __name__ == "__main__":`); try fewer workers than {self.workers}, or the engine "local"'
            ) from error
        finally:
            _close(pool, finished)


@dataclass(frozen=True)
class Ray:
    """A Ray cluster: the one that RAY_ADDRESS names, else one on this machine. An item is a task of one CPU.

    `fn` must be importable on every node, and the folders that it writes to must be the same there.
    """

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result]]:
        """Yield `(index, fn(item))` as tasks finish. Raises EngineError if a worker dies or Ray is not installed."""
        _check_importable(fn)
        ray = _ray()
        begun = not ray.is_initialized()
        if begun:
            ray.init(include_dashboard=False, log_to_driver=False)
        task = ray.remote(num_cpus=1, max_retries=0)(_called)
        waiting = {task.remote(fn, item): index for index, item in enumerate(items)}
        try:
            while waiting:
                for done in ray.wait(list(waiting))[0]:
                    yield waiting.pop(done), ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except (
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.OutOfMemoryError,
            ray.exceptions.NodeDiedError,
        ) as error:
            raise EngineError(f"Ray lost a worker that ran {_name(fn)}: {error}; the same command goes on") from error
        finally:
            for task in waiting:
                ray.cancel(task, force=True)
            if begun:
                ray.shutdown()


def engine_of(name: str) -> Engine:
    """The engine of a name: "local", "processes:N" for N workers, or "ray". Raises EngineError for any other."""
    if name == "local":
        return InProcess()
    kind, _, count = name.partition(":")
    if kind == "processes" and count.isdecimal():
        return Processes(int(count))
    if name == "ray":
        _ray()
        return Ray()
    raise EngineError(f'given the engine {name!r}; expected "local", "processes:N" such as "processes:4", or "ray"')


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as missing:
        raise EngineError(
            'the engine "ray" needs the package ray; install it with: pip install "cutaway[ray]"; or use "processes:N" on '
            'this machine, or "local"'
        ) from missing


def _called(fn: Callable[[Item], Result], item: Item) -> Result:
    return fn(item)


def _check_importable(fn: Callable[..., object]) -> None:
    inner = fn.func if isinstance(fn, partial) else fn
    if "<" in getattr(inner, "__qualname__", ""):
        raise EngineError(
            f"given {_name(fn)}, which another process cannot import; expected a function at the top level of a "
            'module; move it there, or use the engine "local"'
        )


def _name(fn: Callable[..., object]) -> str:
    return getattr(fn.func if isinstance(fn, partial) else fn, "__qualname__", repr(fn))


def _start_worker(threads: int) -> None:
    # Ctrl-C reaches every process of the terminal; only the parent answers it, and then ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _close(pool: ProcessPoolExecutor, finished: bool) -> None:
    # Python before 3.14 has no public way to end workers in the middle of an item.
    for worker in [] if finished else list((getattr(pool, "_processes", None) or {}).values()):
        worker.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
