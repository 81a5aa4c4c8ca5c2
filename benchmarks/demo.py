"""What a user waits for: `cutaway demo`, as a process of its own, on two cores."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.kept import Kept
from benchmarks.timing import say

DEPENDS = (
    "cli",
    "opening.py",
    "network",
    "submodels",
    "decisions",
    "organisms",
    "dial",
    "study",
    "training",
    "runs",
    "ledger",
)
MINUTES = 0.7
CORES = 2


def measure(kept: Kept, repetitions: int) -> None:
    """Wall seconds, CPU seconds and peak memory, from the first import to the page."""
    known = kept.setting("demo")
    for name in ("wall", "cpu", "memory"):
        known["seconds"].setdefault(name, [])
    known["facts"] = {"cores": CORES}
    while len(known["seconds"]["memory"]) < repetitions:
        wall, cpu, memory = once()
        for name, value in (("wall", wall), ("cpu", cpu), ("memory", memory)):
            known["seconds"][name].append(value)
        kept.write()
        say(f"  demo: {wall:.1f} s, {cpu:.1f} CPU s, {memory / 1e9:.2f} GB")


def once() -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, bytes. Raises RuntimeError with the last lines of a demo that failed."""
    command = [str(Path(sys.executable).parent / "cutaway"), "demo", "--no-open"]
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "said", "w+") as said:
        begun = time.monotonic()
        child = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder, env=environment, preexec_fn=_two_cores)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command[1:])} ended with status {child.returncode}: {said.read()[-800:]}")
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return wall, used.ru_utime + used.ru_stime, float(memory)


def _two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
