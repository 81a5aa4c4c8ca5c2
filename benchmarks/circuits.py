"""Circuits of compiled programs: are exactly the true edges named, ranked first, and within the promised runs?

Every program, four networks each, as they come ("plain": two decoys and two noise parts) and "noisy" (four of each, eight
inert parts). The unit is the network. Nothing was tuned on these seeds.
"""

from __future__ import annotations

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import each_kept, take_apart
from benchmarks.kept import Kept
from cutaway.organisms.compiled import PROGRAMS

DEPENDS = (*JUDGED, "circuits.py")
MINUTES = 12.0
SEEDS = {"plain": range(8001, 8005), "noisy": range(8101, 8105)}


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    for kind, seeds in SEEDS.items():
        population(kept, kind, [(kind, program, seed) for seed in seeds for program in PROGRAMS])


def population(kept: Kept, name: str, items: list[tuple[str, str, int]]) -> None:
    """Networks under one name."""
    each_kept(kept, name, take_apart, items)
