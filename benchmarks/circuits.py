"""Circuits of compiled programs: are exactly the true edges named, ranked first, and within the promised runs?

Every program, four networks each, as they come ("plain": two decoys and two noise parts) and "noisy" (four of each, eight
inert parts). The unit is the network. Nothing was tuned on these seeds.
"""

from __future__ import annotations

from typing import Any

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import take_apart
from benchmarks.kept import RESULTS, Kept
from cutaway.organisms.compiled import PROGRAMS
from cutaway.runs import resumable, terminal

DEPENDS = (*JUDGED, "circuits.py")
MINUTES = 12.0
SEEDS = {"plain": range(8001, 8005), "noisy": range(8101, 8105)}


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    for kind, seeds in SEEDS.items():
        population(kept, kind, [(kind, program, seed) for seed in seeds for program in PROGRAMS])


def population(kept: Kept, name: str, items: list[tuple[str, str, int]]) -> None:
    """Networks under one name."""
    known = kept.setting(name)
    known["facts"]["networks"] = resumable(
        RESULTS / "circuits.tmp-networks",
        one,
        items,
        lambda item: {"item": item, "code": kept.code},
        progress=terminal(),
    )
    kept.write()


def one(item: tuple[str, str, int]) -> dict[str, Any]:
    """One network."""
    return take_apart(*item)
