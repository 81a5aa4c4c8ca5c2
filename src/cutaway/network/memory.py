"""Memory: how much is free where a network runs, and what is said when it ran out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable
from pathlib import Path

import torch

from cutaway.network.batch import Batch

SHARE = 0.5  # of the free memory, that one stack of a sweep may plan with: the estimate is rough and others use it too
CGROUP = Path("/sys/fs/cgroup")


def budget(devices: Iterable[torch.device]) -> int:
    """Bytes that one stack may take: half of what is free on the device with the least."""
    return int(SHARE * min(free(device) for device in devices))


def free(device: torch.device) -> int:
    """Bytes that can be had on `device` now; other devices than CUDA are taken to share the machine's memory."""
    if device.type == "cuda":
        there, _ = torch.cuda.mem_get_info(device)
        return there + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    left = _container()
    return _machine() if left is None else min(_machine(), left)


def _machine(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes that the system says are available; where it keeps no such file, the free pages, or else all of them."""
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    name = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")


def _container(group: Path = CGROUP) -> int | None:
    """Bytes that a container may still take (cgroup v2; None: it has no limit); page cache can be taken back."""
    most, now, stat = group / "memory.max", group / "memory.current", group / "memory.stat"
    if not (most.exists() and now.exists() and stat.exists()) or most.read_text().strip() == "max":
        return None
    cache = next((int(x.split()[1]) for x in stat.read_text().splitlines() if x.startswith("inactive_file ")), 0)
    return max(0, int(most.read_text()) - int(now.read_text()) + cache)


def out_of_memory(error: BaseException) -> bool:
    """Whether this is torch's or Python's way to say so (torch's CPU allocator raises a plain RuntimeError)."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


@contextlib.contextmanager
def told(batch: Batch) -> Generator[None]:
    """Says what was run when memory runs out in a pass. Raises `MemoryError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise MemoryError(
            f"memory ran out in one pass of {batch.size}; give fewer rows or shorter inputs at a time, "
            f"or open the network in a smaller dtype ({str(error).strip().splitlines()[0] if str(error) else 'no more is known'})"
        ) from error
