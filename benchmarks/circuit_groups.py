"""Groups that single cuts mislead about: is the redundant, backup or cancelling group named, whatever stands in?

Each kind of group in programs; under matched counterfactuals, where every program is taken, also the edges, as in circuits.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import cutter_of, decisions_of, each_kept, explained, grouped, make, other_halves, said
from benchmarks.circuits import population
from benchmarks.kept import Kept
from cutaway.organisms.compiled import KINDS, PROGRAMS
from cutaway.submodels.baseline import Kind

DEPENDS = (*JUDGED, "circuits.py", "circuit_groups.py")
MINUTES = 25.0
SEED = 8201
BASELINES: tuple[Kind, ...] = ("zero", "mean", "resample")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated. Every second program under each other stand-in."""
    for name in BASELINES:
        each_kept(kept, name, partial(with_baseline, name), variants(PROGRAMS[::2]))
    population(kept, "counterfactual", variants(PROGRAMS))


def variants(programs: Sequence[str]) -> list[tuple[str, str, int]]:
    """Every kind of group in these programs."""
    return [(kind, program, SEED) for program in programs for kind in KINDS]


def with_baseline(name: Kind, kind: str, program: str, seed: int) -> dict[str, Any]:
    """The groups of one organism with this kind of stand-in; its single edges are not compared with a truth."""
    organism = make(kind, program, seed)
    cutter = cutter_of(organism, decisions_of(organism), name)
    found, spent = explained(cutter)
    return {
        "kind": kind,
        "program": program,
        "seed": seed,
        **said(found),
        **grouped(organism, found),
        "other halves": other_halves(cutter, found, seed),
        "seconds": spent,
    }
