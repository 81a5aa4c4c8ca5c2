"""Things that do the same work, timed side by side: process CPU seconds, one after another, round by round.

Shared machines are noisy, so no second is compared with a second of another run: a ratio is taken within each round, and
the median over rounds is reported.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.kept import Kept

Timed = Mapping[str, Callable[[], object]]


def interleave(
    kept: Kept,
    setting: str,
    timed: Timed,
    repetitions: int,
    facts: Callable[[], dict[str, Any]],
    scale: Mapping[str, float] | None = None,
    calls: int = 1,
) -> None:
    """Rounds of `timed` until there are `repetitions`, each kept as it is done; `facts` once, after them.

    `scale` multiplies what is only timed on a sample (24 of 144 heads: 6). Each round times `calls` calls of each.
    """
    known = kept.setting(setting)
    known["scale"], known["calls"] = dict(scale or {}), calls
    for name, work in timed.items():
        known["seconds"].setdefault(name, [])
        if calls > 1:
            work()  # the first call of something short pays for the caches of all later ones
    while (done := min(len(known["seconds"][name]) for name in timed)) < repetitions:
        for name, work in timed.items():
            del known["seconds"][name][done:]  # a round that was cut short is done again as a whole
            known["seconds"][name].append(seconds(work, calls) * known["scale"].get(name, 1.0))
        kept.write()
        say(
            f"  {setting}, round {done + 1} of {repetitions}: "
            + ", ".join(f"{n} {known['seconds'][n][done]:.4g} s" for n in timed)
        )
    if not known["facts"]:
        known["facts"] = facts()
        kept.write()


def seconds(work: Callable[[], object], calls: int = 1) -> float:
    """CPU seconds of one call."""
    begun = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - begun) / calls


def say(text: str) -> None:
    """To the terminal, at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
